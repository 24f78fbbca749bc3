"""Corrections: an event is voided or replaced by a new record, never edited. The names here are the front door."""

from usage.corrections.correcting import Corrected, replace_event, void_event
from usage.corrections.errors import CorrectionError
from usage.corrections.finding import corrections_of

__all__ = ["Corrected", "CorrectionError", "corrections_of", "replace_event", "void_event"]

"""Meters, events and the quarantine in the finance desk."""

from usage.admin.corrections import CorrectionAdmin
from usage.admin.events import EventAdmin
from usage.admin.meters import MeterAdmin
from usage.admin.quarantine import QuarantinedEventAdmin

__all__ = ["CorrectionAdmin", "EventAdmin", "MeterAdmin", "QuarantinedEventAdmin"]

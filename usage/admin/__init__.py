"""Meters, events and the quarantine in the finance desk."""

from usage.admin.events import EventAdmin
from usage.admin.meters import MeterAdmin
from usage.admin.quarantine import QuarantinedEventAdmin

__all__ = ["EventAdmin", "MeterAdmin", "QuarantinedEventAdmin"]

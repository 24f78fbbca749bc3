"""The tables of HOW MUCH. Events are partitioned by month and made by SQL (migrations), the models only read them."""

from usage.models.correction import Correction
from usage.models.event import Event, EventKey, QuarantinedEvent
from usage.models.meter import Meter
from usage.models.put_away import PutAwayMonth
from usage.models.rollup import Rollup

__all__ = ["Correction", "Event", "EventKey", "Meter", "PutAwayMonth", "QuarantinedEvent", "Rollup"]

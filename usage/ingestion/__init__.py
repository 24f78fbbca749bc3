"""Events in: decode, resolve, store and count, replay. The names here are the front door."""

from usage.ingestion.events import Fate, IncomingEvent, Outcome, incoming_event
from usage.ingestion.ingest import ingest
from usage.ingestion.replaying import replay_waiting, waiting_count

__all__ = ["Fate", "IncomingEvent", "Outcome", "incoming_event", "ingest", "replay_waiting", "waiting_count"]

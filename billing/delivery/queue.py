"""How the queue of jobs stands: what waits in it, for how long already, and how many work on it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Min, Q
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob, ProcrastinateWorker

# A worker tells every ten seconds that it lives.
_SILENT: Final = timedelta(seconds=30)


class QueueState(NamedTuple):
    """`waiting` are the jobs whose time has come, `begun` those that a worker has, or had when it died."""

    waiting: int
    begun: int
    age_seconds: int  # of the job that has waited longest since its time came
    workers: int


def queue_state(now: datetime) -> QueueState:
    """Return how the queue stands. Up to six queries, none of which reads what is done."""
    due = ProcrastinateJob.objects.filter(Q(scheduled_at=None) | Q(scheduled_at__lte=now), status="todo")
    waiting = due.count()
    age = timedelta(0)
    if waiting:
        first = due.filter(scheduled_at=None).order_by("pk").values_list("pk", flat=True).first()
        deferred_at = ProcrastinateEvent.objects.filter(job_id=first, type="deferred").aggregate(Min("at"))["at__min"]
        scheduled_at = due.aggregate(Min("scheduled_at"))["scheduled_at__min"]
        age = max(now - each for each in (deferred_at, scheduled_at, now) if each is not None)
    return QueueState(
        waiting=waiting,
        begun=ProcrastinateJob.objects.filter(status="doing").count(),
        age_seconds=max(age, timedelta(0)) // timedelta(seconds=1),
        workers=ProcrastinateWorker.objects.filter(last_heartbeat__gt=now - _SILENT).count(),
    )

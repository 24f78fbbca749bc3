"""A step of a run shared out: its chunks are written, helpers are called, and the one who called does as much as any of them."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import OperationalError

from billing.models import BillingChunk, BillingRun
from billing.rating.terms import TermsBook
from billing.runs.advance import Tally
from billing.runs.chunks import Member, cut, sweep, unfinished
from billing.runs.working import Stop, work_through
from squill.lib.actor import Actor

logger = logging.getLogger(__name__)
# Between two looks at whether the others are done.
_PAUSE_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Crew:
    """Who may help a run: at most `size` helpers at a time, which `call(run id, how many)` starts. They start nobody."""

    size: int
    call: Callable[[int, int], None]


ALONE: Final = Crew(0, lambda _run_id, _count: None)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all steps of one run have in common."""

    run: BillingRun
    crew: Crew
    actor: Actor
    terms_book: TermsBook
    tally: Tally
    stop: Stop

    def is_worth(self, count: int) -> bool:
        """Say whether there are helpers, and so much to do that they are worth their start."""
        return bool(self.crew.size) and count > settings.SQUILL_BILLING_CHUNK_SIZE

    def share(self, step: BillingChunk.Step, members: Sequence[Member], *, boundary_at: datetime | None = None) -> set[int]:
        """
        Do a step with helpers, and return the ids of members that may not be done: none, unless it was time to stop, or
        the database refused a chunk again and again, or somebody swept the chunks away.
        """
        chunks = {chunk.pk: chunk for chunk in cut(self.run, step, members, boundary_at=boundary_at)}
        self.crew.call(self.run.pk, min(self.crew.size, len(chunks) - 1))
        try:
            self._work_until_done(list(chunks))
        except OperationalError:
            logger.exception("the step %s goes on without helpers", step)
        for done in BillingChunk.objects.filter(pk__in=chunks).exclude(done_at=None):
            self.tally.drafted += done.drafted_count
            self.tally.finalized += done.finalized_count
            self.tally.troubled |= {int(subscription_id): name for subscription_id, name in done.troubled.items()}
            del chunks[done.pk]
        sweep(run_id=self.run.pk)
        return {member for chunk in chunks.values() for member in chunk.members}

    def _work_until_done(self, chunk_ids: list[int]) -> None:
        while not self.stop():
            if work_through(self.run.pk, actor=self.actor, terms_book=self.terms_book, stop=self.stop):
                continue
            if not unfinished(chunk_ids):
                return
            time.sleep(_PAUSE_MS / 1000)  # others are at work, or have died: then their claims end

"""One step of a run for one customer: its own transaction, its own trouble (I11)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import OperationalError
from django.db.models import Case, F, Q, Value, When

from billing.invoicing.drafting import SubscriptionBusy, draft_boundary, refresh_draft
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.models import BillingPeriod, Invoice
from billing.rating.terms import TermsBook
from billing.runs.due import DueBoundary
from squill.lib.actor import Actor

logger = logging.getLogger(__name__)
# A deadlock or a lost connection says nothing about the customer: try again before it counts.
_TRIES = 3


@dataclass(slots=True)
class Tally:
    """
    What a run has done so far. `fresh` are the drafts that it has just worked out itself; subscriptions in `troubled` have
    failed in it and are left alone until the next run, so that one run is one attempt.
    """

    drafted: int = 0
    finalized: int = 0
    failed: list[str] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    troubled: set[int] = field(default_factory=set)


def draft_due(due: DueBoundary, *, as_of: datetime, terms_book: TermsBook, tally: Tally, skip_locked: bool) -> bool:
    """
    Draft one boundary; False if somebody else holds the subscription. Trouble is written on its periods, not raised.
    """
    if due.subscription_id in tally.troubled:
        return True
    try:
        invoice = _patiently(
            lambda: draft_boundary(
                subscription_id=due.subscription_id,
                boundary_at=due.boundary_at,
                as_of=as_of,
                terms_book=terms_book,
                skip_locked=skip_locked,
            )
        )
    except SubscriptionBusy:
        return False
    except Exception as error:
        logger.exception("billing %s at %s failed", due.subscription, due.boundary_at)
        unbilled = Q(ends_at=due.boundary_at, arrears_billed_at=None)
        unbilled |= Q(starts_at=due.boundary_at, bills_in_advance=True, advance_billed_at=None)
        _note_trouble(unbilled & Q(subscription_id=due.subscription_id), error, as_of)
        tally.failed.append(due.subscription)
        tally.troubled.add(due.subscription_id)
        return True
    if invoice is not None:
        tally.drafted += 1
        tally.fresh.add(invoice.pk)
    return True


def finalize_draft(invoice_id: int, *, as_of: datetime, actor: Actor, terms_book: TermsBook, tally: Tally) -> None:
    """Finalise one draft; trouble is written on its periods, not raised."""
    try:
        invoice = _patiently(
            lambda: finalize_invoice(
                invoice_id=invoice_id,
                as_of=as_of,
                actor=actor,
                now=as_of,
                terms_book=terms_book,
                refresh=invoice_id not in tally.fresh,
            )
        )
    except Invoice.DoesNotExist:
        return  # gone since the list was read
    except UnableToFinalize as refusal:
        if refusal.code == "nothing_to_bill":
            refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book)  # removes it
        return
    except Exception as error:
        logger.exception("finalising draft %s failed", invoice_id)
        _note_draft(invoice_id, error, as_of=as_of, tally=tally)
        return
    if invoice.finalized_at == as_of:
        tally.finalized += 1


def refresh_waiting(invoice_id: int, *, as_of: datetime, terms_book: TermsBook, tally: Tally) -> None:
    """Work out anew a draft of an earlier run; trouble is written on its periods, not raised."""
    try:
        invoice = _patiently(lambda: refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book))
    except Invoice.DoesNotExist:
        return  # gone since the list was read
    except Exception as error:
        logger.exception("working out draft %s failed", invoice_id)
        _note_draft(invoice_id, error, as_of=as_of, tally=tally)
        return
    if invoice is not None:
        tally.fresh.add(invoice.pk)


def _note_draft(invoice_id: int, error: Exception, *, as_of: datetime, tally: Tally) -> None:
    """Write what went wrong with a draft on its periods, and leave its subscription alone in this run."""
    draft = Invoice.objects.select_related("subscription").get(pk=invoice_id)
    _note_trouble(Q(arrears_invoice=draft) | Q(advance_invoice=draft), error, as_of)
    tally.failed.append(draft.subscription.external_id if draft.subscription else str(draft.public_id))
    if draft.subscription_id is not None:
        tally.troubled.add(draft.subscription_id)


def _patiently[T](step: Callable[[], T]) -> T:
    for _attempt in range(_TRIES - 1):
        try:
            return step()
        except OperationalError:
            logger.warning("the database refused a step of the run, trying again", exc_info=True)
    return step()


def _note_trouble(which: Q, error: Exception, as_of: datetime) -> None:
    parked = When(attempts__gte=settings.SQUILL_BILLING_MAX_ATTEMPTS - 1, then=Value(as_of))
    BillingPeriod.objects.filter(which).update(
        attempts=F("attempts") + 1,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        parked_at=Case(parked, default=F("parked_at")),
    )

"""One step of a run for one customer: its own transaction, its own trouble (I11)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Case, F, Q, Value, When

from billing.invoicing.drafting import SubscriptionBusy, draft_boundary, refresh_draft
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.locks import lock_subscription
from billing.models import BillingPeriod, Invoice, Subscription
from billing.rating.terms import TermsBook
from billing.runs.due import DueBoundary
from billing.subscriptions.periods import extend_periods
from squill.lib.actor import Actor
from squill.lib.context import working_on

logger = logging.getLogger(__name__)
# A deadlock or a lost connection says nothing about the customer: try again before it counts.
_TRIES = 3


@dataclass(slots=True)
class Tally:
    """
    What a run, or a worker of it, has done so far. `troubled` are the subscriptions that have failed in it, by id, with their
    external ids; they are left alone until the next run, so that one run is one attempt.
    """

    drafted: int = 0
    finalized: int = 0
    troubled: dict[int, str] = field(default_factory=dict)


def extend_one(subscription_id: int, *, as_of: datetime, tally: Tally) -> None:
    """
    Make the periods of one subscription that are missing up to `as_of`, in a transaction of its own. One that fails is told by
    the run, and left alone in it; there is no period yet that its trouble could be written on.
    """
    try:
        patiently(lambda: _extend(subscription_id, as_of))
    except Exception:
        with working_on(subscription_id=subscription_id):
            logger.exception("the periods of subscription %d cannot be made", subscription_id)
        tally.troubled[subscription_id] = Subscription.objects.values_list("external_id", flat=True).get(pk=subscription_id)


@transaction.atomic
def _extend(subscription_id: int, as_of: datetime) -> None:
    subscription = lock_subscription(subscription_id)
    if subscription is not None:
        extend_periods(subscription, until=as_of)


def draft_due(due: DueBoundary, *, as_of: datetime, terms_book: TermsBook, tally: Tally, skip_locked: bool) -> bool:
    """
    Draft one boundary; False if somebody else holds the subscription. Trouble is written on its periods, not raised.
    """
    if due.subscription_id in tally.troubled:
        return True
    try:
        invoice = patiently(
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
        with working_on(subscription_id=due.subscription_id):
            logger.exception("billing %s at %s failed", due.subscription, due.boundary_at)
        unbilled = Q(ends_at=due.boundary_at, arrears_billed_at=None)
        unbilled |= Q(starts_at=due.boundary_at, bills_in_advance=True, advance_billed_at=None)
        _note_trouble(unbilled & Q(subscription_id=due.subscription_id), error, as_of)
        tally.troubled[due.subscription_id] = due.subscription
        return True
    if invoice is not None:
        tally.drafted += 1
    return True


def finalize_draft(
    invoice_id: int, *, as_of: datetime, actor: Actor, terms_book: TermsBook, tally: Tally, is_fresh: bool
) -> None:
    """
    Finalise one draft; trouble is written on its periods, not raised. It is worked out anew first, unless it `is_fresh`.
    """
    try:
        invoice = patiently(
            lambda: finalize_invoice(
                invoice_id=invoice_id,
                as_of=as_of,
                actor=actor,
                now=as_of,
                terms_book=terms_book,
                refresh=not is_fresh,
            )
        )
    except Invoice.DoesNotExist:
        return  # gone since the list was read
    except UnableToFinalize as refusal:
        if refusal.code == "nothing_to_bill":
            refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book)  # removes it
        return
    except Exception as error:
        with working_on(invoice_id=invoice_id):
            logger.exception("finalising draft %s failed", invoice_id)
        note_draft(invoice_id, error, as_of=as_of, tally=tally)
        return
    if invoice.finalized_at == as_of:
        tally.finalized += 1


def refresh_waiting(invoice_id: int, *, as_of: datetime, terms_book: TermsBook, tally: Tally) -> None:
    """Work out anew a draft of an earlier run; trouble is written on its periods, not raised."""
    try:
        patiently(lambda: refresh_draft(invoice_id=invoice_id, as_of=as_of, terms_book=terms_book))
    except Invoice.DoesNotExist:
        return  # gone since the list was read
    except Exception as error:
        with working_on(invoice_id=invoice_id):
            logger.exception("working out draft %s failed", invoice_id)
        note_draft(invoice_id, error, as_of=as_of, tally=tally)


def note_draft(invoice_id: int, error: Exception, *, as_of: datetime, tally: Tally) -> None:
    """Write what went wrong with a draft on its periods, and leave its subscription alone in this run."""
    draft = Invoice.objects.select_related("subscription").get(pk=invoice_id)
    _note_trouble(Q(arrears_invoice=draft) | Q(advance_invoice=draft), error, as_of)
    if draft.subscription is not None:  # runs see no others (billing.runs.due.drafts_at)
        tally.troubled[draft.subscription.pk] = draft.subscription.external_id


def patiently[T](step: Callable[[], T]) -> T:
    """Do a step, and once or twice again if the database refuses it: a deadlock is nobody's fault."""
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

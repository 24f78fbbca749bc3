"""Credits given, taken back and paid out: each writes an entry of the ledger, whose sum is what is left."""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing.locks import lock_credits
from billing.models import Credit, CreditEntry
from billing.reductions.offering import MOST_MINOR, check_amount, check_currency, check_name
from billing.reductions.refusals import ReductionError
from customers.audit import record
from customers.models import Customer
from squill.lib.actor import Actor

USUAL_PRIORITY: Final = 100
_LAST_PRIORITY: Final = 1_000_000
_GRANTED: Final = (Credit.Kind.PROMOTIONAL, Credit.Kind.PAID)


@transaction.atomic
def grant_credit(
    *,
    customer_id: int,
    kind: str,
    name: str,
    reference: str,
    currency: str,
    amount_minor: int,
    actor: Actor,
    now: datetime,
    cost_basis_minor: int = 0,
    priority: int = USUAL_PRIORITY,
    expires_at: datetime | None = None,
) -> tuple[Credit, bool]:
    """
    Give a customer money that pays its invoices when they are made final; return the credit, and whether it is new.

    The reference makes it safe to repeat: the same one again is the credit that is there. `cost_basis_minor` is what was paid
    for it, for a prepaid credit; a promotional one has none. `expires_at` is exclusive. Of several credits the one with the
    lowest `priority` pays first.

    :raises ReductionError: unusable (with the field), customer_archived, reference_differs (known with other members)
    """
    customer = Customer.objects.get(pk=customer_id)
    _check_reference(reference)
    credit = Credit(
        customer=customer,
        kind=kind,
        name=name,
        reference=reference,
        currency=currency,
        amount_minor=amount_minor,
        cost_basis_minor=cost_basis_minor,
        priority=priority,
        granted_at=now,
        expires_at=expires_at,
    )
    known = Credit.objects.filter(customer=customer, reference=reference).first()
    if known is None:
        _check(credit, now)
        try:
            with transaction.atomic():
                credit.save()
        except IntegrityError as error:  # granted at the same time
            if "credit_reference_once_per_customer" not in str(error):
                raise
            known = Credit.objects.get(customer=customer, reference=reference)
    if known is not None:
        if _said(known) != _said(credit):
            message = _("reference %(reference)s is another credit already: choose a new reference") % {"reference": reference}
            raise ReductionError(message, field="reference", code="reference_differs")
        return known, False
    _write(credit, CreditEntry.Kind.GRANTED, amount_minor, actor, now)
    _record("credit.granted", credit, actor, now, {"amount_minor": amount_minor, "kind": kind, "name": name})
    return credit, True


@transaction.atomic
def void_credit(*, credit_id: int, actor: Actor, now: datetime, reason: str = "") -> Credit:
    """
    Take back what is left of a credit: it pays no invoice any more, and what a void invoice gives back is taken back too.

    Idempotent. Locks the customer's credits.

    :raises ReductionError: credit_of_a_credit_note
    :raises Credit.DoesNotExist: if there is none
    """
    credit, left = _locked(credit_id)
    if credit.kind == Credit.Kind.CREDIT_NOTE:
        message = _("it was kept of credit note %(reference)s, which stands: it cannot be taken back")
        raise ReductionError(message % {"reference": credit.reference}, field="", code="credit_of_a_credit_note")
    if credit.voided_at is None:
        credit.voided_at = now
        credit.save(update_fields=["voided_at"])
        if left:
            _write(credit, CreditEntry.Kind.VOIDED, -left, actor, now)
        _record("credit.voided", credit, actor, now, {"taken_back_minor": left, "reason": reason.strip()})
    return credit


@transaction.atomic
def refund_credit(*, credit_id: int, actor: Actor, now: datetime, reason: str = "") -> int:
    """
    Record that what is left of a prepaid credit was paid out to the customer, and return how much, in minor units.

    What a void invoice gives back later can be used, or paid out, again. Locks the customer's credits.

    :raises ReductionError: not_prepaid, or nothing_left
    :raises Credit.DoesNotExist: if there is none
    """
    credit, left = _locked(credit_id)
    if credit.kind != Credit.Kind.PAID:
        message = _("only a prepaid credit is paid out: take this one back instead")
        raise ReductionError(message, field="", code="not_prepaid")
    if not left:
        raise ReductionError(_("nothing is left of it that could be paid out"), field="", code="nothing_left")
    _write(credit, CreditEntry.Kind.REFUNDED, -left, actor, now)
    _record("credit.refunded", credit, actor, now, {"refunded_minor": left, "reason": reason.strip()})
    return left


def _locked(credit_id: int) -> tuple[Credit, int]:
    """Lock the credits of whoever has this one, and return it with what is left of it."""
    owner = Credit.objects.only("customer_id", "currency").get(pk=credit_id)
    lock_credits(customer_id=owner.customer_id, currency=owner.currency)
    credit = Credit.objects.select_related("customer").get(pk=credit_id)
    left: int = credit.entries.aggregate(left=Sum("amount_minor", default=0))["left"]
    return credit, int(left)


def _check(credit: Credit, now: datetime) -> None:
    if credit.customer.archived_at is not None:
        raise ReductionError(_("the customer is archived"), field="customer", code="customer_archived")
    if credit.kind not in _GRANTED:
        raise _unusable("kind", _("write one of %(kinds)s") % {"kinds": ", ".join(_GRANTED)})
    check_name(credit.name)
    check_currency(credit.currency)
    check_amount(credit.amount_minor, field="amount")
    if not 0 <= credit.cost_basis_minor < MOST_MINOR:
        raise _unusable("cost_basis", _("write what was paid for it, zero or more"))
    if credit.kind == Credit.Kind.PROMOTIONAL and credit.cost_basis_minor:
        raise _unusable("cost_basis", _("nothing is paid for a promotional credit: leave it out, or make it a prepaid one"))
    if not 0 <= credit.priority <= _LAST_PRIORITY:
        raise _unusable("priority", _("write a number from 0 to %(last)d") % {"last": _LAST_PRIORITY})
    if credit.expires_at is not None and credit.expires_at <= now:
        raise _unusable("expires_at", _("write an instant that is still to come: it would have expired already"))


def _check_reference(reference: str) -> None:
    if not 1 <= len(reference) <= 140 or not reference.isprintable() or reference != reference.strip() or "/" in reference:
        raise _unusable("reference", _("write 1 to 140 printable characters without a slash, and no space at either end"))


def _said(credit: Credit) -> tuple[Any, ...]:
    """Return what a repeated grant must say as the first did; its name and priority do not count."""
    return credit.kind, credit.currency, credit.amount_minor, credit.cost_basis_minor, credit.expires_at


def _unusable(field: str, message: str) -> ReductionError:
    return ReductionError(message, field=field, code="unusable")


def _write(credit: Credit, kind: CreditEntry.Kind, amount_minor: int, actor: Actor, now: datetime) -> None:
    CreditEntry.objects.create(credit=credit, kind=kind, amount_minor=amount_minor, recorded_at=now, recorded_by=actor.label)


def _record(action: str, credit: Credit, actor: Actor, now: datetime, facts: dict[str, Any]) -> None:
    record(
        action=action,
        object_type="credit",
        object_id=credit.reference,
        customer_id=credit.customer_id,
        actor=actor,
        now=now,
        after={"currency": credit.currency, **{name: value for name, value in facts.items() if value != ""}},
    )

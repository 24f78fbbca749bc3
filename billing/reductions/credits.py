"""Credits in a customer's favour: what is left of one is the sum of its entries; an invoice uses them when it is made final."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, F, Q, Sum, When

from billing.locks import lock_credits
from billing.models import Credit, CreditEntry, Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableCredit:
    """A credit with something left, in minor units."""

    credit_id: int
    kind: str  # Credit.Kind
    label: str
    left_minor: int


def usable_credits(*, customer_id: int, currency: str, at: datetime, lock: bool = False) -> Sequence[UsableCredit]:
    """
    Return the credits that can pay an invoice at an instant, in the order in which they are used up. One query, two with `lock`.

    Kept credit notes come first, then the lowest priority number, then what expires first, then the oldest. With `lock` they
    stay locked until the transaction ends, so that no two invoices use the same money.
    """
    if lock:
        lock_credits(customer_id=customer_id, currency=currency)
    credits_left = (
        Credit.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=at),
            customer_id=customer_id,
            currency=currency,
            granted_at__lte=at,
            voided_at=None,
        )
        .annotate(left_sum=Sum("entries__amount_minor"))
        .filter(left_sum__gt=0)
        .order_by(
            Case(When(kind=Credit.Kind.CREDIT_NOTE, then=0), default=1),
            "priority",
            F("expires_at").asc(nulls_last=True),
            "granted_at",
            "pk",
        )
    )
    return [
        UsableCredit(credit_id=credit.pk, kind=credit.kind, label=credit.name, left_minor=int(credit.left_sum))
        for credit in credits_left
    ]


class CreditTaken(NamedTuple):
    """What is used of a credit, in minor units."""

    credit: UsableCredit
    amount_minor: int


def spend(credits: Sequence[UsableCredit], due_minor: int) -> tuple[CreditTaken, ...]:
    """Return how much of each credit pays what is due, in order; those that pay nothing are left out. Pure."""
    taken: list[CreditTaken] = []
    for credit in credits:
        amount = min(credit.left_minor, due_minor)
        if amount > 0:
            taken.append(CreditTaken(credit, amount))
            due_minor -= amount
    return tuple(taken)


def use_credits(used: Sequence[CreditTaken], *, invoice: Invoice, now: datetime, recorded_by: str) -> None:
    """Write what an invoice takes of each credit, in minor units. The credits must be locked by the caller. One statement."""
    CreditEntry.objects.bulk_create(
        CreditEntry(
            credit_id=credit.credit_id,
            kind=CreditEntry.Kind.USED,
            amount_minor=-amount_minor,
            invoice=invoice,
            recorded_at=now,
            recorded_by=recorded_by,
        )
        for credit, amount_minor in used
    )


def return_credits(*, invoice: Invoice, now: datetime, recorded_by: str) -> int:
    """
    Give back what a voided invoice used, and return how much, in minor units. Locks the customer's credits.

    What comes back of a credit that has expired meanwhile expires again with the next expiry; what comes back of one that was
    taken back is taken back at once.
    """
    lock_credits(customer_id=invoice.customer_id, currency=invoice.currency)
    used = list(CreditEntry.objects.filter(invoice=invoice, kind=CreditEntry.Kind.USED).select_related("credit"))
    returned = [
        CreditEntry(
            credit_id=entry.credit_id,
            kind=CreditEntry.Kind.RETURNED,
            amount_minor=-entry.amount_minor,
            invoice=invoice,
            recorded_at=now,
            recorded_by=recorded_by,
        )
        for entry in used
    ]
    taken_back = [
        CreditEntry(
            credit_id=entry.credit_id,
            kind=CreditEntry.Kind.VOIDED,
            amount_minor=entry.amount_minor,
            recorded_at=now,
            recorded_by=recorded_by,
        )
        for entry in used
        if entry.credit.voided_at is not None
    ]
    CreditEntry.objects.bulk_create([*returned, *taken_back])
    return -sum(entry.amount_minor for entry in used)

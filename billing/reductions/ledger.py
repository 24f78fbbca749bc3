"""The ledger of a customer's credits, to read: balances, what is left of each credit, entries with the balance after each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _

from billing.models import Credit, CreditEntry


@dataclass(frozen=True, slots=True)
class Balance:
    """The sum of all entries of a customer in a currency, in minor units; credits that no invoice can use are in it."""

    currency: str
    amount_minor: int


class CreditState(TextChoices):
    """Whether a credit can still pay an invoice, and if not, why."""

    USABLE = "usable", _("usable")
    USED_UP = "used_up", _("used up")
    EXPIRED = "expired", _("expired")
    VOIDED = "voided", _("taken back")


def balances(customer_id: int) -> Sequence[Balance]:
    """Return the balance of a customer in each currency that it has credits in. One query."""
    entries = CreditEntry.objects.filter(credit__customer_id=customer_id).order_by("credit__currency")
    sums = entries.values_list("credit__currency").annotate(total=Sum("amount_minor"))
    return [Balance(currency, int(total)) for currency, total in sums]


def with_left(credits: QuerySet[Credit]) -> QuerySet[Any]:
    """Annotate credits with `left_minor`, the sum of their entries."""
    return credits.annotate(left_minor=Sum("entries__amount_minor", default=0))


def state_of(credit: Any, *, now: datetime) -> CreditState:
    """Say what a credit is good for; it has `left_minor` (see `with_left`)."""
    if credit.voided_at is not None:
        return CreditState.VOIDED
    if credit.expires_at is not None and credit.expires_at <= now:
        return CreditState.EXPIRED
    return CreditState.USABLE if credit.left_minor else CreditState.USED_UP


def with_balance(entries: QuerySet[CreditEntry]) -> QuerySet[Any]:
    """
    Annotate entries with `balance_minor`: what the customer had in the currency after each, in the order of their ids.

    It is summed anew for every entry that is read, so read them by the page.
    """
    up_to = CreditEntry.objects.filter(
        credit__customer=OuterRef("credit__customer"), credit__currency=OuterRef("credit__currency"), pk__lte=OuterRef("pk")
    )
    summed = up_to.order_by().values("credit__customer").annotate(total=Sum("amount_minor")).values("total")
    return entries.annotate(balance_minor=Subquery(summed))

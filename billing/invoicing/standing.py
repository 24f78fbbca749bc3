"""Where an invoice stands today, as people say it: overdue and partly paid are no states of the row, they follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import (
    BooleanField,
    Count,
    DateField,
    DateTimeField,
    ExpressionWrapper,
    F,
    Func,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.enums import TextChoices
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from billing.models import Invoice


class Standing(TextChoices):
    """What a list says of an invoice in one word."""

    DRAFT = "draft", _("draft")
    OPEN = "open", _("open")
    PARTLY_PAID = "partly-paid", _("partly paid")
    OVERDUE = "overdue", _("overdue")
    PAID = "paid", _("paid")
    VOID = "void", _("void")
    UNCOLLECTIBLE = "uncollectible", _("uncollectible")


def standing(invoice: Invoice, *, today: date) -> Standing:
    """Say where the invoice stands on a day; it is overdue from the day after `due_on`."""
    if invoice.status != Invoice.Status.FINALIZED:
        return Standing(invoice.status)
    if invoice.due_on < today and invoice.left_minor > 0:
        return Standing.OVERDUE
    return Standing.PARTLY_PAID if invoice.paid_minor or invoice.credited_minor else Standing.OPEN


def is_overdue(*, today: date | Combinable) -> Q:
    """Return the condition on invoices that `standing` calls overdue; the day may be an expression on the invoice."""
    return Q(status=Invoice.Status.FINALIZED, due_on__lt=today, paid_minor__lt=F("due_minor") - F("credited_minor"))


def with_overdue(invoices: QuerySet[Invoice], *, now: datetime) -> QuerySet[Invoice]:
    """
    Annotate invoices with `overdue`, by the local day of each customer that contains `now`.

    Joins the customer; filter by `overdue=True` for only those.
    """
    instant = Value(now, output_field=DateTimeField())
    local = Func(F("customer__timezone"), instant, function="timezone", output_field=DateTimeField())
    late = is_overdue(today=Cast(local, DateField()))
    return invoices.annotate(overdue=ExpressionWrapper(late, output_field=BooleanField()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """What is left to pay of final invoices in one currency, in minor units; the overdue part is within the open one."""

    currency: str
    open_minor: int
    open_count: int
    overdue_minor: int
    overdue_count: int


def receivables(*, today: date, customer_id: int | None = None) -> Sequence[Receivable]:
    """Add up what is left to pay by currency, of one customer or of all; currencies without any are left out. One query."""
    invoices = Invoice.objects.filter(status=Invoice.Status.FINALIZED)
    if customer_id is not None:
        invoices = invoices.filter(customer_id=customer_id)
    late = is_overdue(today=today)
    left = F("due_minor") - F("paid_minor") - F("credited_minor")
    sums = invoices.values("currency").annotate(
        open_sum=Sum(left),
        open_count=Count("pk"),
        overdue_sum=Sum(left, filter=late, default=0),
        overdue_count=Count("pk", filter=late),
    )
    return [
        Receivable(
            currency=row["currency"],
            open_minor=int(row["open_sum"]),
            open_count=row["open_count"],
            overdue_minor=int(row["overdue_sum"]),
            overdue_count=row["overdue_count"],
        )
        for row in sums.order_by("currency")
    ]

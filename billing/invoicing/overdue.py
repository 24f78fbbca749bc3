"""Overdue is no state: it follows from the due date, what is paid, and the day that it is where the customer is."""

from datetime import datetime

from django.db.models import BooleanField, DateField, DateTimeField, ExpressionWrapper, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast

from billing.models import Invoice


def with_overdue(invoices: QuerySet[Invoice], *, now: datetime) -> QuerySet[Invoice]:
    """
    Annotate invoices with `overdue`: open, not fully paid, and due before the local day that contains `now`.

    The due date itself is not overdue yet. Joins the customer; filter by `overdue=True` for only those.
    """
    instant = Value(now, output_field=DateTimeField())
    local = Func(F("customer__timezone"), instant, function="timezone", output_field=DateTimeField())
    today = Cast(local, DateField())
    late = Q(status=Invoice.Status.FINALIZED, paid_minor__lt=F("due_minor"), due_on__lt=today)
    return invoices.annotate(overdue=ExpressionWrapper(late, output_field=BooleanField()))

"""The first page of the finance desk: what is open, what waits for a person, and what was invoiced month by month."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.admin.shown import locale, moment, money, today
from billing.invoicing.standing import receivables
from billing.models import BillingPeriod, BillingRun, Invoice
from squill.web import formatting
from squill.web.charts import bars
from usage.models import QuarantinedEvent

_MONTHS = 12
_LEAST_MONTHS = 6
_CURRENCIES = 3
# The bar of one month, in units of its own small drawing.
BAR_WIDTH, BAR_HEIGHT = 60, 120


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what templates/admin/index.html shows; each part only for those who may see its rows. Six queries."""
    user = request.user
    context["title"] = _("Overview")
    context["can_see_invoices"] = user.has_perm("billing.view_invoice")
    if user.has_perm("billing.view_invoice"):
        context |= {"receivables": _receivables(), "draft_count": _drafts().count(), "currencies": _invoiced(today())}
        invoices = reverse("admin:billing_invoice_changelist")
        context |= {
            "open_url": f"{invoices}?standing=open",
            "overdue_url": f"{invoices}?standing=overdue",
            "drafts_url": f"{invoices}?standing=draft",
        }
    if user.has_perm("billing.view_subscription"):
        parked = BillingPeriod.objects.filter(parked_at__isnull=False)
        context["parked_count"] = parked.values("subscription").distinct().count()
        context["parked_url"] = f"{reverse('admin:billing_subscription_changelist')}?state=parked"
    if user.has_perm("usage.view_quarantinedevent"):
        context["quarantine_count"] = QuarantinedEvent.objects.filter(status=QuarantinedEvent.Status.WAITING).count()
        context["quarantine_url"] = reverse("admin:usage_quarantinedevent_changelist")
    if user.has_perm("billing.view_billingrun"):
        context["latest_run"] = _latest_run()
    return context


def _receivables() -> list[dict[str, Any]]:
    return [
        {
            "open": money(one.open_minor, one.currency),
            "open_count": one.open_count,
            "overdue": money(one.overdue_minor, one.currency) if one.overdue_count else "",
            "overdue_count": one.overdue_count,
        }
        for one in receivables(today=today())
    ]


def _latest_run() -> dict[str, Any] | None:
    run = BillingRun.objects.order_by("-pk").first()
    if run is None:
        return None
    counts = {"drafted": run.drafted_count, "finalized": run.finalized_count, "failed": run.failed_count}
    return {"pk": run.pk, "as_of": moment(run.as_of), "finished_at": moment(run.finished_at) if run.finished_at else "", **counts}


def _drafts() -> QuerySet[Invoice]:
    return Invoice.objects.filter(status=Invoice.Status.DRAFT)


def _invoiced(now_day: date) -> list[dict[str, Any]]:
    """Add up by month and currency what final invoices that are not void ask for, tax included; the busiest currencies first."""
    months = _last_months(now_day)
    final = Invoice.objects.exclude(status__in=[Invoice.Status.DRAFT, Invoice.Status.VOID]).filter(issued_on__gte=months[0])
    rows = (
        final.annotate(month=TruncMonth("issued_on"))
        .values("currency", "month")
        .annotate(total=Sum("total_minor"), count=Count("pk"))
    )
    by_currency: dict[str, dict[date, tuple[int, int]]] = {}
    for row in rows:
        by_currency.setdefault(row["currency"], {})[row["month"]] = (int(row["total"]), row["count"])
    ranked = sorted(by_currency.items(), key=lambda pair: (-sum(count for _total, count in pair[1].values()), pair[0]))
    first = min((month for totals in by_currency.values() for month in totals), default=months[-1])
    shown = [month for month in months if month >= min(first, months[-_LEAST_MONTHS])]
    return [{"currency": currency, "months": _bars(totals, shown, currency)} for currency, totals in ranked[:_CURRENCIES]]


def _bars(totals: dict[date, tuple[int, int]], months: list[date], currency: str) -> list[dict[str, Any]]:
    values = [Decimal(totals.get(month, (0, 0))[0]) for month in months]
    laid_out = bars(values, width=BAR_WIDTH * len(months), height=BAR_HEIGHT)
    return [
        {
            "name": formatting.format_month_short(month, locale()),
            "amount": money(totals[month][0], currency) if month in totals else "–",
            "count": totals.get(month, (0, 0))[1],
            "y": bar.y,
            "height": bar.height,
        }
        for month, bar in zip(months, laid_out, strict=True)
    ]


def _last_months(now_day: date) -> list[date]:
    ordinal = now_day.year * 12 + now_day.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(ordinal - _MONTHS + 1, ordinal + 1)]

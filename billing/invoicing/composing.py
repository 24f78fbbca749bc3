"""A rated boundary to the value of an invoice: lines in order, totals, dates. Pure of writes, so a preview is the same thing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from billing.models import BillingEntity, InvoiceLine, Subscription
from billing.models.subscription import BillingPeriod
from billing.pricing.totals import TotalLine, Totals, total_invoice
from billing.rating.lines import RatedLine
from billing.rating.subscription import RatedBoundary
from billing.rating.terms import COMMITMENT_CODE
from squill.lib.decimals import plain
from squill.web.formatting import format_date


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedLine:
    """A rated line with its words and its place on the invoice."""

    period: BillingPeriod
    group: InvoiceLine.Group
    rated: RatedLine
    description: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedInvoice:
    """An invoice before it is written: what a draft stores and a preview shows."""

    rated: RatedBoundary
    billing_entity: BillingEntity
    issued_on: date
    due_on: date
    first_day: date  # inclusive
    last_day: date  # inclusive
    lines: tuple[ComposedLine, ...]
    totals: Totals
    tax_rate_pct: Decimal

    @property
    def subscription(self) -> Subscription:
        """The subscription that is billed, with its customer loaded."""
        return self.rated.subscription


def compose_invoice(rated: RatedBoundary, *, billing_entity: BillingEntity, as_of: datetime) -> ComposedInvoice:
    """
    Put the lines in order, add them up and date the invoice: issued on the seller's day of `as_of`, due by the customer's terms.

    Adjustments that lower the invoice are taken only while its subtotal stays at zero or above; what does not fit is found
    again at the next boundary, since metered minus billed is still there (ADR 0007).
    """
    customer = rated.subscription.customer
    with override(customer.locale):
        lines = _lines(rated, customer.locale)
    issued_on = as_of.astimezone(ZoneInfo(billing_entity.timezone)).date()
    rates = (customer.tax_rate_pct,) if customer.tax_rate_pct else ()
    totals = total_invoice(
        currency=customer.currency,
        lines=[TotalLine(str(position), line.rated.amount_minor, rates) for position, line in enumerate(lines, start=1)],
    )
    span = [period for period in (rated.ending, rated.beginning) if period is not None]
    return ComposedInvoice(
        rated=rated,
        billing_entity=billing_entity,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=customer.payment_terms_days),
        first_day=span[0].first_day,
        last_day=span[0].end_day - timedelta(days=1),
        lines=tuple(lines),
        totals=totals,
        tax_rate_pct=customer.tax_rate_pct,
    )


def _lines(rated: RatedBoundary, locale: str) -> list[ComposedLine]:
    lines: list[ComposedLine] = []
    for period, rated_lines in ((rated.beginning, rated.advance_lines), (rated.ending, rated.arrears_lines)):
        if period is not None:
            lines += [_composed(line, period, _group(line), locale) for line in rated_lines]
    lines.sort(key=lambda line: line.group != InvoiceLine.Group.SUBSCRIPTION)  # stable: fees first, then usage
    lines += _adjustments_that_fit(rated, lines, locale)
    return lines


def _group(line: RatedLine) -> InvoiceLine.Group:
    return InvoiceLine.Group.USAGE if line.meter_code else InvoiceLine.Group.SUBSCRIPTION


def _adjustments_that_fit(rated: RatedBoundary, lines: Iterable[ComposedLine], locale: str) -> list[ComposedLine]:
    subtotal = sum(line.rated.amount_minor for line in lines)
    taken: list[ComposedLine] = []
    for adjustment in sorted(rated.adjustments, key=lambda adjustment: adjustment.line.amount_minor < 0):
        if subtotal + adjustment.line.amount_minor < 0:
            continue
        subtotal += adjustment.line.amount_minor
        taken.append(_composed(adjustment.line, adjustment.period, InvoiceLine.Group.ADJUSTMENT, locale))
    return taken


def _composed(line: RatedLine, period: BillingPeriod, group: InvoiceLine.Group, locale: str) -> ComposedLine:
    name = _("Minimum commitment, difference") if line.charge_code == COMMITMENT_CODE else line.name
    detail = " · ".join(_details(line, group, locale))
    return ComposedLine(
        period=period, group=group, rated=line, description=_cut(name, "description"), detail=_cut(detail, "detail")
    )


def _cut(text: str, column: str) -> str:
    """Shorten words to what the column of a line keeps; a year of changes of a quantity has more to say."""
    longest: int = getattr(InvoiceLine._meta.get_field(column), "max_length")  # noqa: B009 (the stubs allow for relations)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _details(line: RatedLine, group: InvoiceLine.Group, locale: str) -> Iterator[str]:
    if group == InvoiceLine.Group.ADJUSTMENT and line.meter_code:
        yield _("Correction of an earlier period: usage now known minus usage billed")
    elif group == InvoiceLine.Group.ADJUSTMENT:
        yield _("Change within a billed period: what is due now minus what was billed")
    if line.part == "in_advance":
        yield _("Billed in advance")
    if line.quantities:
        yield ", ".join(
            _("%(quantity)s from %(day)s") % {"quantity": plain(stretch.quantity), "day": format_date(stretch.first_day, locale)}
            for stretch in line.quantities
        )
    elif line.days != line.full_days:
        prorated = ngettext("%(days)d of %(full)d day", "%(days)d of %(full)d days", line.full_days)
        yield prorated % {"days": line.days, "full": line.full_days}

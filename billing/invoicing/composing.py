"""A rated boundary to the value of an invoice: lines in order, totals, dates. Pure of writes, so a preview is the same thing."""

from collections.abc import Iterable
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
from billing.rating.terms import COMMITMENT_CODE, TermsBook


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


def compose_invoice(
    rated: RatedBoundary, *, billing_entity: BillingEntity, terms_book: TermsBook, as_of: datetime
) -> ComposedInvoice:
    """
    Put the lines in order, add them up and date the invoice: issued on the seller's day of `as_of`, due by the customer's terms.

    Adjustments that lower the invoice are taken only while its subtotal stays at zero or above; what does not fit is found
    again at the next boundary, since metered minus billed is still there (ADR 0007).
    """
    customer = rated.subscription.customer
    with override(customer.locale):
        lines = _lines(rated, terms_book)
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


def _lines(rated: RatedBoundary, terms_book: TermsBook) -> list[ComposedLine]:
    lines: list[ComposedLine] = []
    for period, rated_lines in ((rated.beginning, rated.advance_lines), (rated.ending, rated.arrears_lines)):
        if period is not None:
            lines += [_composed(line, period, _group(line), terms_book) for line in rated_lines]
    lines.sort(key=lambda line: line.group != InvoiceLine.Group.SUBSCRIPTION)  # stable: fees first, then usage
    lines += _adjustments_that_fit(rated, lines, terms_book)
    return lines


def _group(line: RatedLine) -> InvoiceLine.Group:
    return InvoiceLine.Group.USAGE if line.meter_code else InvoiceLine.Group.SUBSCRIPTION


def _adjustments_that_fit(rated: RatedBoundary, lines: Iterable[ComposedLine], terms_book: TermsBook) -> list[ComposedLine]:
    subtotal = sum(line.rated.amount_minor for line in lines)
    taken: list[ComposedLine] = []
    for adjustment in sorted(rated.adjustments, key=lambda adjustment: adjustment.line.amount_minor < 0):
        if subtotal + adjustment.line.amount_minor < 0:
            continue
        subtotal += adjustment.line.amount_minor
        taken.append(_composed(adjustment.line, adjustment.period, InvoiceLine.Group.ADJUSTMENT, terms_book))
    return taken


def _composed(line: RatedLine, period: BillingPeriod, group: InvoiceLine.Group, terms_book: TermsBook) -> ComposedLine:
    terms = terms_book.of(period.plan_version_id)
    names = {charge.code: charge.name for charge in terms.charges}
    name = _("Minimum commitment, difference") if line.charge_code == COMMITMENT_CODE else names[line.charge_code]
    details: list[str] = []
    if group == InvoiceLine.Group.ADJUSTMENT:
        details.append(_("Correction of an earlier period: usage now known minus usage billed"))
    if line.part == "in_advance":
        details.append(_("Billed in advance"))
    if line.days != line.full_days:
        prorated = ngettext("%(days)d of %(full)d day", "%(days)d of %(full)d days", line.full_days)
        details.append(prorated % {"days": line.days, "full": line.full_days})
    return ComposedLine(period=period, group=group, rated=line, description=name, detail=" · ".join(details))

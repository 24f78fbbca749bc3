"""A rated boundary to the value of an invoice: lines in order, totals, dates. Pure of writes, so a preview is the same thing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import npgettext, override, pgettext

from billing.invoicing.surroundings import ChargeFacts, Surroundings
from billing.invoicing.totalling import DocumentTotals, TaxedLine, total_document
from billing.models import BillingEntity, InvoiceLine, Subscription
from billing.models.subscription import BillingPeriod
from billing.pricing.totals import Totals
from billing.rating.lines import RatedLine
from billing.rating.subscription import RatedBoundary
from billing.rating.terms import COMMITMENT_CODE
from billing.tax.values import Tax
from squill.lib.decimals import plain
from squill.web.formatting import format_date


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedLine:
    """A rated line with its words, its tax and its place on the invoice."""

    period: BillingPeriod
    group: InvoiceLine.Group
    rated: RatedLine
    description: str
    detail: str
    facts: ChargeFacts
    tax: Tax


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
    document: DocumentTotals

    @property
    def totals(self) -> Totals:
        """What the invoice adds up to."""
        return self.document.totals

    @property
    def subscription(self) -> Subscription:
        """The subscription that is billed, with its customer loaded."""
        return self.rated.subscription


def charges_of(rated: RatedBoundary) -> set[int]:
    """Return the ids of the charges that the lines of a boundary are of."""
    lines = [*rated.advance_lines, *rated.arrears_lines, *(adjustment.line for adjustment in rated.adjustments)]
    return {line.charge_id for line in lines if line.charge_id is not None}


def compose_invoice(rated: RatedBoundary, surroundings: Surroundings) -> ComposedInvoice:
    """
    Put the lines in order and add them up; issued on the surroundings' day, due by the customer's terms.

    Adjustments that lower the invoice are taken only while its subtotal and its total stay at zero or above; what does not fit
    is found again at the next boundary, since metered minus billed is still there (ADR 0007).
    """
    customer = rated.subscription.customer
    with override(customer.locale):
        lines = _lines(rated, surroundings, customer.locale)
    document = _total(lines, surroundings, customer.currency)
    while document.totals.total_minor < 0:  # a credit that bears more tax than what it is set against
        lines.remove(min(lines, key=lambda line: line.rated.amount_minor))
        document = _total(lines, surroundings, customer.currency)
    span = [period for period in (rated.ending, rated.beginning) if period is not None][:1]
    span = span or [line.period for line in lines]  # nothing but differences: the days that they are of
    return ComposedInvoice(
        rated=rated,
        billing_entity=surroundings.billing.entity,
        issued_on=surroundings.issued_on,
        due_on=surroundings.issued_on + timedelta(days=customer.payment_terms_days),
        first_day=min((period.first_day for period in span), default=surroundings.issued_on),
        last_day=max((period.end_day - timedelta(days=1) for period in span), default=surroundings.issued_on),
        lines=tuple(lines),
        document=document,
    )


def _total(lines: Iterable[ComposedLine], surroundings: Surroundings, currency: str) -> DocumentTotals:
    taxed = [
        TaxedLine(
            amount_minor=line.rated.amount_minor,
            tax=line.tax,
            plan_code=line.facts.plan_code,
            charge_code=line.rated.charge_code,
        )
        for line in lines
    ]
    return total_document(currency=currency, lines=taxed, coupons=surroundings.coupons, credits=surroundings.credits)


def _lines(rated: RatedBoundary, surroundings: Surroundings, locale: str) -> list[ComposedLine]:
    lines: list[ComposedLine] = []
    for period, rated_lines in ((rated.beginning, rated.advance_lines), (rated.ending, rated.arrears_lines)):
        if period is not None:
            lines += [_composed(line, period, _group(line), surroundings, locale) for line in rated_lines]
    lines.sort(key=lambda line: line.group != InvoiceLine.Group.SUBSCRIPTION)  # stable: fees first, then usage
    lines += _adjustments_that_fit(rated, lines, surroundings, locale)
    return lines


def _group(line: RatedLine) -> InvoiceLine.Group:
    return InvoiceLine.Group.USAGE if line.meter_code else InvoiceLine.Group.SUBSCRIPTION


def _adjustments_that_fit(
    rated: RatedBoundary, lines: Iterable[ComposedLine], surroundings: Surroundings, locale: str
) -> list[ComposedLine]:
    subtotal = sum(line.rated.amount_minor for line in lines)
    taken: list[ComposedLine] = []
    for adjustment in sorted(rated.adjustments, key=lambda adjustment: adjustment.line.amount_minor < 0):
        if subtotal + adjustment.line.amount_minor < 0:
            continue
        subtotal += adjustment.line.amount_minor
        taken.append(_composed(adjustment.line, adjustment.period, InvoiceLine.Group.ADJUSTMENT, surroundings, locale))
    return taken


def _composed(
    line: RatedLine, period: BillingPeriod, group: InvoiceLine.Group, surroundings: Surroundings, locale: str
) -> ComposedLine:
    name = pgettext("invoice", "Minimum commitment, difference") if line.charge_code == COMMITMENT_CODE else line.name
    detail = " · ".join(_details(line, group, locale))
    facts = surroundings.facts(line.charge_id, period)
    return ComposedLine(
        period=period,
        group=group,
        rated=line,
        description=_cut(name, "description"),
        detail=_cut(detail, "detail"),
        facts=facts,
        tax=surroundings.tax_of(facts, last_day=line.end_day - timedelta(days=1)),
    )


def _cut(text: str, column: str) -> str:
    """Shorten words to what the column of a line keeps; a year of changes of a quantity has more to say."""
    longest: int = getattr(InvoiceLine._meta.get_field(column), "max_length")  # noqa: B009 (the stubs allow for relations)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _details(line: RatedLine, group: InvoiceLine.Group, locale: str) -> Iterator[str]:
    if group == InvoiceLine.Group.ADJUSTMENT and line.meter_code:
        yield pgettext("invoice", "Correction of an earlier period: usage now known minus usage billed")
    elif group == InvoiceLine.Group.ADJUSTMENT:
        yield pgettext("invoice", "Change within a billed period: what is due now minus what was billed")
    if line.part == "in_advance":
        yield pgettext("invoice", "Billed in advance")
    if line.quantities:
        yield ", ".join(
            pgettext("invoice", "%(quantity)s from %(day)s")
            % {"quantity": plain(stretch.quantity), "day": format_date(stretch.first_day, locale)}
            for stretch in line.quantities
        )
    elif line.days != line.full_days:
        prorated = npgettext("invoice", "%(days)d of %(full)d day", "%(days)d of %(full)d days", line.full_days)
        yield prorated % {"days": line.days, "full": line.full_days}

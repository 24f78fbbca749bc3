"""Six months of a company's billing, told by the same services that the real thing uses, month by month."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from pathlib import Path
from zoneinfo import ZoneInfo

from billing.catalog.apply import apply_catalog
from billing.catalog.document import read_catalog
from billing.invoicing.entities import ensure_series
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.management.demo.cast import Player, load_cast
from billing.management.demo.changes import change_subscriptions
from billing.management.demo.money import bill_workshop, open_accounts, settle_accounts
from billing.management.demo.usage import usage_of
from billing.models import BillingEntity, Invoice, NumberSeries
from billing.pricing.period import local_midnight
from billing.runs.run import run_billing
from billing.subscriptions.services import start_subscription
from customers.models import Customer
from customers.services import create_customer, update_customer
from squill.lib.actor import system
from usage.ingestion import IncomingEvent, incoming_event, ingest

ACTOR = system("demo")
_CAST = load_cast()
MONTHS = 6
_EVENTS_A_REQUEST = 2000
_DAYS_TO_PAY = {"prompt": 9, "slow": 41}
_FIRST_UNPAID_MONTH = 4  # of those who stopped paying
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """The time in which the story plays: six whole months, and the one that `now` is in."""

    now: datetime
    seed: int

    @property
    def month_starts(self) -> list[date]:
        """First days of the six whole months and of the running one, oldest first."""
        month = self.now.year * 12 + self.now.month - 1
        return [date((month - back) // 12, (month - back) % 12 + 1, 1) for back in range(MONTHS, -1, -1)]


def tell_story(stage: Stage, tell: Tell) -> None:
    """Write the whole story into an empty database. About ten thousand events and eighty invoices."""
    opening = datetime.combine(stage.month_starts[0], datetime.min.time(), UTC) - timedelta(days=2)
    tell("plans and meters")
    apply_catalog(spec=read_catalog((Path(__file__).parent / "catalog.yaml").read_text()), actor=ACTOR, now=opening)
    _open_company()
    tell(f"{len(_CAST.players)} customers")
    for player in _CAST.players:
        _join(player, stage, opening)
    open_accounts(opening)
    told_until = opening
    for index, month in enumerate(stage.month_starts):
        closing = stage.now if index == MONTHS else _closing(stage.month_starts[index + 1])
        tell(f"usage and invoices of {month:%B %Y}")
        change_subscriptions(index, month, not_after=stage.now)
        _use(told_until, closing, stage)
        _bill(closing, finalize=index < MONTHS)
        if index == MONTHS - 3:
            _void_one(closing)
            _bill(closing + timedelta(hours=1), finalize=True)
            _send_late(closing + timedelta(hours=2), stage)
            bill_workshop(closing + timedelta(hours=3))
        told_until = closing
    _pay(stage)
    settle_accounts(stage.now)
    _lose_some(stage)


def _closing(month: date) -> datetime:
    """The instant at which a month is billed: half a day after its end in UTC, when it has ended in every time zone."""
    return datetime.combine(month, datetime.min.time(), UTC) + timedelta(hours=13)


def _open_company() -> None:
    seller = BillingEntity.objects.create(is_default=True, reminder_days=[-3, 3, 10], sends_receipts=True, **_CAST.seller)
    for kind, prefix in ((NumberSeries.Kind.INVOICE, "NL"), (NumberSeries.Kind.CREDIT_NOTE, "NL-CN")):
        ensure_series(seller, kind=kind)
        NumberSeries.objects.filter(billing_entity=seller, kind=kind).update(pattern=prefix + "-{number:06}")


def _join(player: Player, stage: Stage, opening: datetime) -> None:
    customer = create_customer(**player.fields(), actor=ACTOR, now=opening)
    start_subscription(
        customer_id=customer.pk,
        plan_code=player.plan,
        starts_at=_first_instant(player, stage),
        actor=ACTOR,
        now=opening,
    )


def _first_day(player: Player, stage: Stage) -> date:
    if player.joined_days_ago:
        return stage.now.date() - timedelta(days=player.joined_days_ago)
    first = stage.month_starts[0]
    return first.replace(day=min(player.start_day, monthrange(first.year, first.month)[1]))


def _first_instant(player: Player, stage: Stage) -> datetime:
    return local_midnight(_first_day(player, stage), ZoneInfo(player.timezone))


def _use(start: datetime, end: datetime, stage: Stage) -> None:
    for player in _CAST.players:
        events = usage_of(player, first_day=_first_day(player, stage), start=start, end=end, seed=stage.seed)
        _send(events, now=end)


def _send(events: Iterable[IncomingEvent], *, now: datetime) -> None:
    for batch in batched(events, _EVENTS_A_REQUEST):
        ingest(batch, now=now)


def _bill(as_of: datetime, *, finalize: bool) -> None:
    report = run_billing(as_of=as_of, finalize=finalize, actor=ACTOR, now=as_of)
    if report.failed:
        raise RuntimeError(f"the demo could not bill {', '.join(report.failed)}")


def _void_one(as_of: datetime) -> None:
    """Finance notices a missing purchase order: the invoice is voided, and billed again with it."""
    customer = Customer.objects.get(external_id="kornblum")
    invoice = Invoice.objects.filter(customer=customer, status=Invoice.Status.FINALIZED).order_by("-boundary_at")[0]
    now = as_of + timedelta(minutes=30)
    void_invoice(invoice_id=invoice.pk, reason="Purchase order PO-7731 was missing", actor=ACTOR, now=now)
    update_customer(customer_id=customer.pk, changes={"purchase_order": "PO-7731"}, actor=ACTOR, now=now)


def _pay(stage: Stage) -> None:
    """Pay what the customers' habits have paid by now."""
    habits = {player.external_id: player.habit for player in _CAST.players}
    invoices = Invoice.objects.filter(status=Invoice.Status.FINALIZED, due_minor__gt=0).select_related("customer")
    for invoice in invoices.order_by("pk"):
        habit = habits[invoice.customer.external_id]
        if habit == "stopped" and invoice.issued_on >= stage.month_starts[_FIRST_UNPAID_MONTH]:
            continue
        received_on = invoice.issued_on + timedelta(days=_DAYS_TO_PAY.get(habit, _DAYS_TO_PAY["prompt"]))
        if received_on < stage.now.date():
            record_payment(
                invoice_id=invoice.pk,
                amount_minor=invoice.due_minor,
                received_on=received_on,
                reference=f"SEPA {received_on:%Y%m%d} {invoice.number}",
                actor=ACTOR,
                now=stage.now,
            )


def _lose_some(stage: Stage) -> None:
    """Send what finance has to look at: usage of somebody unknown, and of a kind that nobody counts."""
    for number in range(3):
        _send_one(f"stray-{number}", "api.requests", "fenwik-prod", {"requests": 1200 + number}, stage)
    _send_one("stray-type", "video.minutes", "tidepool", {"minutes": 42}, stage)


def _send_late(now: datetime, stage: Stage) -> None:
    """A server was offline and hands its usage in after the month was billed: it becomes a line of the next invoice."""
    at = _closing(stage.month_starts[MONTHS - 2]) - timedelta(days=3)
    data = {"requests": 48_000, "endpoint": "route"}
    event = incoming_event(
        source="demo", event_id="tidepool-late", event_type="api.requests", subject="tidepool", occurred_at=at, data=data
    )
    ingest([event], now=now)


def _send_one(event_id: str, event_type: str, subject: str, data: dict[str, int], stage: Stage) -> None:
    at = stage.now - timedelta(hours=3)
    event = incoming_event(source="demo", event_id=event_id, event_type=event_type, subject=subject, occurred_at=at, data=data)
    ingest([event], now=stage.now)

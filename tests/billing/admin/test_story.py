from datetime import UTC, datetime

from billing.admin.story import story_of
from customers.models import AuditEvent


def event(action: str, **after: object) -> AuditEvent:
    at = datetime(2026, 2, 9, 13, 5, tzinfo=UTC)
    return AuditEvent(at=at, actor_label="ana@example.com", action=action, object_id="INV-000001", after=after)


def test_amounts_are_written_in_the_currency_of_the_event_or_else_of_the_object() -> None:
    [paid, made] = story_of(
        [event("invoice.payment_recorded", paid_minor=1250), event("invoice.finalized", due_minor=300, currency="JPY")],
        currency="EUR",
    )
    assert (paid.title, paid.at, paid.who, paid.figures) == (
        "Payment recorded",
        "9 February 2026, 13:05 UTC",
        "ana@example.com",
        ("paid €12.50",),
    )
    assert made.figures == ("due ¥300",)


def test_an_unknown_action_is_shown_as_it_is() -> None:
    [chapter] = story_of([event("meter.created", name="Calls", dimensions=["region"])], currency="EUR")
    assert (chapter.title, chapter.figures) == ("meter.created", ("name Calls",))


def test_what_an_invoice_is_now_is_told_in_words() -> None:
    [final, voided] = story_of(
        [event("invoice.finalized", status="finalized"), event("invoice.voided", reason="Twice")], currency="EUR"
    )
    assert (final.figures, voided.figures) == (("status open",), ("reason Twice",))

from collections.abc import Sequence

import pytest
from django.db import connection

from billing.reconciliation.report import reconcile
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.corrections import replace_event, void_event
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def corrected() -> None:
    """Three events: one stays, one is voided, one replaced."""
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event(str(n), {"bytes": n}) for n in (1, 2, 3)], now=NOW)
    why = {"source": "test", "reason": "mistake", "actor": ACTOR, "now": NOW}
    void_event(event_id="2", **why)  # type: ignore[arg-type]
    replace_event(event_id="3", replacement=an_event("3b", {"bytes": 4}), **why)  # type: ignore[arg-type]


def _tamper(*statements: str) -> Sequence[str]:
    """Change rows that triggers protect, as a person with a superuser's password might; return what reconcile finds."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return reconcile().differences


def test_books_with_corrections_agree() -> None:
    assert reconcile().differences == ()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "UPDATE usage_correction SET source = 'x' WHERE event_id = '2'",
            "I1 correction x 2 differs from the event that it is of",
        ),
        (
            "UPDATE usage_correction SET event_key = gen_random_uuid() WHERE event_id = '2'",
            "I1 correction test 2 is of an event that was never taken in",
        ),
        (
            "UPDATE usage_correction SET replacement_key = gen_random_uuid() WHERE event_id = '3'",
            "I1 correction test 3 is replaced by 3b, which was never taken in",
        ),
        (
            "UPDATE usage_correction SET replacement_id = '1' WHERE event_id = '3'",
            "I1 correction test 3 differs from the event that replaces it",
        ),
        ("DELETE FROM customers_auditevent WHERE action = 'event.voided'", "I1 correction test 2 is not in the audit trail"),
    ],
)
def test_correction_that_was_tampered_with_is_named(statement: str, found: str) -> None:
    assert found in _tamper(statement)


def test_voided_event_that_still_counts_is_found() -> None:
    # 1 + 4 = 5 are kept
    [difference] = _tamper("UPDATE usage_rollup SET value_sum = value_sum + 2, event_count = event_count + 1")

    assert difference == "I2 rollup acme bytes 2026-03-10 {}: kept events 3, sum 7; counted again events 2, sum 5"

"""
Real usage, exact to the last digit: the public FOCUS sample of AWS usage of 33 accounts at published prices.

The data lies beside a developer's checkout (../shared/data/focus); a clone alone does not have it.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from usage.models import QuarantinedEvent

FOCUS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "focus"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOCUS.is_dir(), reason=f"the FOCUS sample does not lie beside the checkout ({FOCUS})"),
]


def run(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    call_command(*command)
    return json.loads(capsys.readouterr().out)


def test_every_account_and_sku_has_exactly_the_expected_quantity_and_amount(capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((FOCUS / "expected.json").read_text())
    changes = run(capsys, "apply_catalog", str(FOCUS / "catalog.json"), "--json")
    assert {change["kind"] for change in changes} == {"created"}
    loaded = run(capsys, "load_customers", str(FOCUS / "customers.ndjson"), "--json")
    assert (loaded["customers_created"], loaded["subscriptions_started"]) == (33, 33)
    first = run(capsys, "load_events", str(FOCUS / "events.ndjson"), "--json")
    again = run(capsys, "load_events", str(FOCUS / "events.ndjson"), "--json")
    assert (first["accepted"], first["duplicates"], first["quarantined"]) == (417, 0, {})
    assert (again["accepted"], again["duplicates"], again["quarantined"]) == (0, 417, {})
    assert QuarantinedEvent.objects.count() == 0

    report = run(capsys, "run_billing", "--as-of", "2024-10-03T00:00:00Z", "--finalize", "--json")
    assert report["failed"] == []
    books = run(capsys, "export_canonical")
    billed = {
        invoice["customer"]: {
            line["charge"]: {"quantity": line["quantity"], "exact_amount": line["exact_amount"]} for line in invoice["lines"]
        }
        for invoice in books["invoices"]
    }
    assert billed == {customer: known["lines"] for customer, known in expected["customers"].items()}
    for invoice in books["invoices"]:
        assert all(line["period"] == expected["period"] for line in invoice["lines"])
    assert run(capsys, "reconcile", "--json")["differences"] == []
    # Everything again: the same bytes.
    run(capsys, "run_billing", "--as-of", "2024-10-03T00:00:00Z", "--finalize", "--json")
    assert run(capsys, "export_canonical") == books

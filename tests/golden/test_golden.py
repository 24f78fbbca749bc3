"""
Invoices that were worked out by hand, through the commands and back out of export_canonical.

The arithmetic of two_customers/expected.json:

fenwick (Berlin, 19 %): 22 to 31 March is 10 of 31 days.
  22 March, in advance: 49 x 10/31 = 15.80645… → 15.81; tax 3.0039 → 3.00; 18.81.
  1 April: platform for April 49.00. Five calls happened before local midnight of 1 April (22:00 UTC), the sixth did not:
  2 x 0 + 2 x 1.005 + 1 x 0.3333 = 2.3433 → 2.34. Seats: the largest, 4 x 7.5 = 30.00.
  Committed 100 x 10/31 = 32.258 → 32.26; the period costs 15.81 + 2.34 + 30.00 = 48.15, so nothing is added.
  49.00 + 2.34 + 30.00 = 81.34; tax 15.4546 → 15.45; 96.79.
kaze (Tokyo, 10 %, no decimals): anniversary of 31 January, so the first period ends with 27 February.
  Line 1000. In Japan 4.25 + 5.8 = 10.05 GB, all at 9.9 = 99.495 → 99. Abroad 5.000001 GB is two packages of 5: 141.
  1000 + 99 + 141 = 1240; tax 124; 1364. The gigabyte at local midnight of 28 February is of the second period, which
  ends with 30 March: 1000 + 1 x 12.5 = 12.5 → 13; 1013; tax 101.3 → 101; 1114.
"""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent / "two_customers"


def test_the_invoices_are_those_that_were_worked_out_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("apply_catalog", str(FOLDER / "catalog.yaml"))
    call_command("load_customers", str(FOLDER / "customers.ndjson"))
    call_command("load_events", str(FOLDER / "events.ndjson"))
    for as_of in ("2026-03-22T12:00:00+01:00", "2026-04-01T12:00:00+02:00"):
        call_command("run_billing", "--as-of", as_of, "--finalize")
    call_command("reconcile")
    capsys.readouterr()
    call_command("export_canonical")
    assert json.loads(capsys.readouterr().out)["invoices"] == json.loads((FOLDER / "expected.json").read_text())

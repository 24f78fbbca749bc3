import json
import re
import stat
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from billing.management.demo.people import finance_group
from billing.models import Invoice, InvoiceLine, Plan, PlanVersion
from billing.reconciliation.report import reconcile
from customers.models import ApiKey, Customer, PortalUser, User
from usage.models import Event, QuarantinedEvent

NOW = "2026-11-22T12:00:00Z"


@pytest.fixture
def home(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SQUILL_NOW", NOW)
    settings.SQUILL_HOME = tmp_path
    return tmp_path


@pytest.mark.django_db
def test_the_demo_tells_half_a_year_of_believable_billing_once(home: Path) -> None:
    out = StringIO()

    call_command("demo", stdout=out)

    assert Customer.objects.count() == 16
    assert sorted(Plan.objects.values_list("code", flat=True)) == [
        "api-scale",
        "onboarding",
        "priority-support",
        "stream",
        "studio",
        "studio-plus",
        "team",
    ]
    assert PlanVersion.objects.filter(status="published").count() == 7
    statuses = set(Invoice.objects.values_list("status", flat=True))
    assert statuses == {"paid", "finalized", "void", "draft", "uncollectible"}
    assert Invoice.objects.filter(status="finalized", due_on__lt="2026-11-22").exists(), "one is overdue"
    assert Invoice.objects.filter(status="finalized", due_on__gte="2026-11-22").exists(), "one is open"
    assert Event.objects.count() > 5000
    assert QuarantinedEvent.objects.filter(status="waiting").count() == 4
    late = InvoiceLine.objects.get(group="adjustment", meter_code="api-requests")
    assert (str(late.invoice.customer), late.quantity, late.first_day.isoformat()) == (
        "Tidepool Analytics",
        Decimal(48_000),
        "2026-08-01",
    )
    assert reconcile().differences == ()
    banner = out.getvalue()
    key = re.search(r"sq_live_\S+(?=')", banner)
    assert key is not None
    assert settings.SQUILL_BASE_URL + "/portal/sign-in/link/" in banner
    assert User.objects.filter(is_superuser=True, email="admin@northlight.example").exists()
    assert PortalUser.objects.get().user.email == "ana@fenwick.example"
    assert ApiKey.objects.get().secret_hash not in banner
    kept = home / "demo.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["api_key"] == key[0]

    before = Event.objects.count()
    call_command("demo", stdout=StringIO())
    assert Event.objects.count() == before, "the second time it leaves the data as it is"


@pytest.mark.django_db
def test_the_demo_does_not_touch_data_of_somebody_else(home: Path) -> None:
    from tests.billing.builders import make_customer  # noqa: PLC0415 - needs the apps

    make_customer()

    with pytest.raises(CommandError, match="did not make"):
        call_command("demo", stdout=StringIO())

    assert Customer.objects.count() == 1
    assert not User.objects.exists()
    assert not (home / "demo.json").exists()


@pytest.mark.django_db
def test_the_demo_is_refused_in_production(home: Path, settings: Settings) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="not in production"):
        call_command("demo", stdout=StringIO())

    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_finance_sees_every_model_of_the_three_apps() -> None:
    codenames = set(finance_group().permissions.values_list("codename", flat=True))
    assert {"view_invoice", "view_customer", "view_quarantinedevent", "change_planversion"} <= codenames
    assert "add_logentry" not in codenames

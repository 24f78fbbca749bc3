"""The log of whole scenarios, searched for what must never be in it: keys, links, addresses, names."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from billing.delivery.jobs import run_waiting_jobs
from billing.invoicing.drafting import draft_boundary
from billing.models import BillingPeriod, BillingRun, Invoice
from customers.api_keys import issue_api_key
from customers.models import Customer
from customers.portal_access import grant_portal_access
from squill.lib.log_lines import Json, Line
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, send_usage, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Canary Ornithology"
PERSON = "Ann Canarybird"
ADDRESS = "ann@canary-nest.example"
CANARIES = ("canary-nest", "Canary Ornithology", "Canarybird", "Featherweight")


@pytest.fixture(params=[Json, Line], ids=["json", "line"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """All that is logged, as it would be written, requests too."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param("%(levelname)s %(name)s %(message)s"))
    root, requests = logging.getLogger(), logging.getLogger("squill.requests")
    levels = root.level, requests.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    requests.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(levels[0])
    requests.setLevel(levels[1])


@pytest.fixture
def customer(settings: Settings) -> Customer:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_catalog()
    made = make_customer("nest", name=NAME, email=ADDRESS)
    subscribe(made)
    return made


def clean(log: io.StringIO, *secrets: str) -> str:
    text = log.getvalue()
    assert text, "nothing was logged: the test looks in the wrong place"
    for canary in (*CANARIES, *secrets):
        assert canary not in text, [line for line in text.splitlines() if canary in line]
    return text


def test_zappas_own_line_for_each_request_is_not_written() -> None:
    assert not logging.getLogger("zappa.wsgi").isEnabledFor(logging.INFO)  # it has the path, and the caller's address


def test_signing_in_leaves_no_link_and_no_address(customer: Customer, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    grant_portal_access(customer_id=customer.pk, email=ADDRESS, actor=ACTOR, now=at("2026-01-01"), full_name=PERSON)
    browser = Client(raise_request_exception=False)
    browser.post("/portal/sign-in", {"email": ADDRESS})
    found = re.search(r"/portal/sign-in/link/([^\s\"?]+)", str(mail.outbox[0].body))
    assert found is not None
    token = found[1]

    def fail(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError(f"cannot sign {ADDRESS} in with {found[0]}")

    with monkeypatch.context() as broken:
        broken.setattr("customers.portal.views.user_of_link", fail)
        assert browser.get(found[0]).status_code == 500
    assert browser.post(found[0]).status_code == 302
    assert browser.get("/portal/").status_code == 200
    assert browser.get(found[0]).status_code == 410  # used
    assert browser.get(f"/portal/{ADDRESS}").status_code == 404

    text = clean(log, token)
    assert "POST portal/sign-in/link/" in text  # the request is told by its route


def test_calls_with_a_key_leave_neither_key_nor_names(customer: Customer, log: io.StringIO) -> None:
    _key, secret = issue_api_key(name="test", scopes=["events:write", "write"], actor=ACTOR, now=at("2026-01-01"))
    program = Client(raise_request_exception=False)
    headers = {"Authorization": f"Bearer {secret}"}
    event = {"id": "1", "source": "app", "type": "call", "subject": "nest", "data": {"n": 1, "who": "Featherweight"}}
    assert program.post("/api/v1/events", event, content_type="application/json", headers=headers).status_code == 204
    assert program.post("/api/v1/events", b"{", content_type="application/json", headers=headers).status_code == 400
    body = {"external_id": ADDRESS, "name": NAME, "email": "no address", "currency": "EUR"}
    assert program.post("/api/v1/customers", body, content_type="application/json", headers=headers).status_code == 400
    assert program.get(f"/api/v1/customers/{ADDRESS}", headers=headers).status_code in (403, 404)
    assert program.get(f"/api/v1/customers?key={secret}", headers={"Authorization": f"Bearer {secret[:-1]}x"}).status_code == 401
    clean(log, secret, secret[8:])


def test_a_run_and_its_mails_name_ids_and_no_person(
    customer: Customer, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, documents: Any, renderings: Any
) -> None:
    send_usage(customer, "call", 150, "2026-01-10")
    other = make_customer("other", name=NAME, email=f"other-{ADDRESS}")
    subscribe(other)

    def unwilling(*, subscription_id: int, **arguments: Any) -> Any:
        if BillingPeriod.objects.filter(subscription_id=subscription_id, subscription__customer=other).exists():
            raise ValueError(f"cannot bill {ADDRESS}\nDETAIL:  Failing row contains ({NAME}).")
        return draft_boundary(subscription_id=subscription_id, **arguments)

    monkeypatch.setattr("billing.runs.advance.draft_boundary", unwilling)
    assert bill("2026-02-01").failed != ()
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda message: (_ for _ in ()).throw(OSError(f"no {message.to}")))
    run_waiting_jobs()

    text = clean(log)
    assert f'"run_id": "{BillingRun.objects.get().pk}"' in text or f"run_id={BillingRun.objects.get().pk}" in text
    invoice_id = Invoice.objects.get().pk
    assert f'"invoice_id": "{invoice_id}"' in text or f"invoice_id={invoice_id}" in text
    if text.startswith("{"):
        assert all(json.loads(line)["level"] for line in text.splitlines())

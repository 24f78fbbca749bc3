"""
Requests made up from the published OpenAPI document: each is answered as the document says, and never by a failure of ours.

schemathesis makes up good and bad values for every operation; bodies that are good but for a value or two go further in. All
go through the WSGI application to the database, and are taken back there.
"""

import copy
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import hypothesis.core
import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from billing.api import examples
from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.items import Item
from billing.invoicing.one_off import draft_one_off
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditNote, Invoice, Payment, Subscription
from billing.runs.run import run_billing
from billing.subscriptions.changing import change_quantity, pause_subscription
from customers.api_keys import issue_api_key
from customers.models import Customer, Scope
from squill.lib import clock
from squill.postgres.home import CHECKOUT
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, send_usage, subscribe
from tests.billing.reductions.reduced import coupon, grant, redeem
from tests.faults import FULL

if TYPE_CHECKING:
    # At run time it is imported by the tests that need it, so that no other test waits a second for it.
    from schemathesis.generation.case import Case as AnyCase
    from schemathesis.specs.openapi.schemas import OpenApiSchema

    type Case = AnyCase[Any]

pytestmark = pytest.mark.django_db

DOCUMENT = CHECKOUT / "docs" / "openapi.yaml"
OPERATIONS = re.findall(r"operationId: (\w+)", DOCUMENT.read_text(encoding="utf-8"))
NOW = at("2026-02-10T12:00:00Z")
PAYMENT_ID = UUID("0198c1d2-7f3e-7000-8000-000000000017")
JSON = "application/json"

ONE_OFF = "0198c1d2-7f3e-7000-8000-000000000000"  # the draft of a one-off invoice
# What the parameters of paths and queries find. The people and plans are those of the document's examples.
NAMES = {
    "path.external_id": ["acme", "other", "new"],
    "path.code": ["calls", "scale"],  # of meters, plans, and coupons
    "path.reference": ["prepaid", "gift"],
    "path.number": ["INV-000001", "INV-000002", ONE_OFF, "CN-000001"],
    "path.position": ["1", "2"],
    "path.version": ["2", "1"],
    "path.payment_id": [str(PAYMENT_ID)],
    "path.month": ["2026-01"],
    "query.customer": ["acme"],
    "query.subject": ["acme"],
    "query.meter": ["calls"],
    "query.plan": ["scale"],
    "query.type": ["call"],
    "header.Prefer": ["return=representation"],
}
# Bodies that are taken, where the document has no example, or one that is not taken in this world.
BODIES: dict[str, Any] = {
    "create_meter": {
        "code": "peak",
        "name": "Peak",
        "event_type": "call",
        "aggregation": "max",
        "value": "n",
        "dimensions": ["region"],
        "filters": {"status": {"in": ["200", 204]}, "n": {"gte": 1}},
    },
    "succeed_meter": {"code": "calls-2", "filters": {"region": {"equals": "eu"}}},
    "update_meter": {"name": "Calls", "unit": "calls"},
    "query_meter_by_post": {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-02-01T00:00:00Z",
        "windowSize": "DAY",
        "groupBy": ["region"],
    },
    "send_events": [{"id": "2", "source": "tests", "type": "call", "subject": "acme", "data": {"n": "1.5", "region": "eu"}}],
    "void_event": {"source": "tests", "id": "1", "reason": "sent twice"},
    "replace_event": {
        "source": "tests",
        "id": "1",
        "reason": "wrong value",
        "event": {"id": "3", "source": "tests", "type": "call", "subject": "acme", "data": {"n": 2, "region": "us"}},
    },
    "void_many_events": {"subject": "acme", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "dry_run": True},
    "replace_customer": {
        "external_id": "acme",
        "name": "Acme",
        "email": "billing@acme.example",
        "currency": "EUR",
        "address": {"city": "Berlin"},
    },
    "update_customer": {"locale": "de", "tax_rate_pct": "19", "payment_terms_days": 30, "subject_keys": ["acme", "a2"]},
    "create_coupon": {
        "code": "SPRING",
        "name": "Spring",
        "amount": "5",
        "currency": "EUR",
        "duration": "periods",
        "period_count": 3,
        "plans": ["scale"],
        "charges": ["calls"],
        "max_redemptions": 5,
        "redeem_until": "2026-06-01T00:00:00Z",
    },
    "update_coupon": {"name": "Calls, 10 % off", "max_redemptions": 5, "redeem_until": "2026-06-01T00:00:00Z"},
    "redeem_coupon": {"coupon": "calls", "subscription": "acme-scale"},
    "create_tax_rate": {"country": "AU", "rate": "10", "valid_from": "2026-01-01"},
    "change_plan": {"plan": "solo", "when": "period_end", "quantities": {"seats": "3"}},
    "start_subscription": {"customer": "new", "plan": "scale", "starts_at": "2026-02-01T00:00:00Z", "external_id": "new"},
}
POISON = [
    *(
        "",
        " ",
        "\0",
        "\u200b",
        "a/b",
        "..",
        "NaN",
        "Infinity",
        "1e400",
        "-0",
        "0",
        "-1",
        "1e30",
        "9" * 40,
        f"0.{'0' * 30}1",
        "1_000",
    ),
    *("\N{ARABIC-INDIC DIGIT THREE}", "a" * 300, "JPY", "acme", "2026-02-30", "2026-01-31T23:59:60Z"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"),
]
# JSON that json.dumps does not write.
RAW = ["1e400", "1e-400", "1e999999999", "-0", "1E+2", "01", "9" * 5_000, '{"n": 1, "n": 2}', "[" * 10_000]
NUMBERS = [0, -0.0, -1, 0.1, 10**18, 10**99, float("nan"), float("inf")]
ODD = st.sampled_from([*POISON, *(f"<{text}>" for text in RAW), *NUMBERS, "\ud800", None, True, [], {}, [None], {"": ""}])


@contextmanager
def _world() -> Iterator[str]:
    """Customers on plans of usage and of seats, invoices, drafts, what can be credited, a key for all; undone at the end."""
    meter = {"code": "calls", "name": "Calls", "event_type": "call", "aggregation": "sum", "value": "n", "dimensions": ["region"]}
    with transaction.atomic():
        seats = {"code": "seats", "model": "per_unit", "unit_amount": "10", "default_quantity": "2", "billed": "in_advance"}
        plans = [{"code": code, "currency": "EUR", "charges": [seats]} for code in ("team", "solo")]
        support = {"code": "support", "currency": "EUR", "charges": [{"code": "fee", "model": "flat", "amount": "5"}]}
        make_catalog(json.dumps({"meters": [meter], "plans": [examples.PLAN_BODY, *plans], "add_ons": [support]}))
        make_customer("new")
        for name in ("acme", "other"):
            customer = make_customer(name)
            subscribe(customer, "scale", external_id=f"{name}-scale")
            team = subscribe(customer, "team", external_id=name)
            pause_subscription(subscription_id=team.pk, when=at("2026-02-20"), actor=ACTOR, now=NOW)
            send_usage(customer, "call", 1500, "2026-01-15", {"region": "eu"}, event_id="1" if name == "acme" else "")
        for code in ("calls", "scale"):
            coupon(code, duration="forever")
        redeem(Customer.objects.get(external_id="other"), "scale")
        bill("2026-01-01")
        bill("2026-02-01", finalize=False)
        for name in ("acme", "other"):
            for reference in ("prepaid", "gift"):  # after the bills, which would use them
                grant(Customer.objects.get(external_id=name), 500, reference, kind="paid", cost_basis_minor=400)
        item = Item(description="Set-up", quantity=Decimal(1), unit_amount=Decimal(100))
        one_off = draft_one_off(customer_id=customer.pk, currency="EUR", items=[item], now=NOW, actor=ACTOR)
        Invoice.objects.filter(pk=one_off.pk).update(public_id=ONE_OFF)
        seats_of = Subscription.objects.get(external_id="acme").pk
        change_quantity(
            subscription_id=seats_of, charge_code="seats", quantity=Decimal(1), when=at("2026-01-01"), actor=ACTOR, now=NOW
        )
        paid = Invoice.objects.get(number="INV-000002")
        facts: dict[str, Any] = {"invoice_id": paid.pk, "actor": ACTOR, "now": NOW}
        record_payment(amount_minor=paid.due_minor, received_on=NOW.date(), reference="R", **facts)
        issue_credit_note(
            reason=CreditNote.Reason.GOODWILL, lines=[LineAsked(1, 500)], reference="G", settlement="refund", **facts
        )
        Payment.objects.create(
            public_id=PAYMENT_ID,
            customer=Customer.objects.get(external_id="acme"),
            currency="EUR",
            amount_minor=500,
            received_on=NOW.date(),
            reference="ahead",
            recorded_at=NOW,
            recorded_by="tests",
        )
        _key, secret = issue_api_key(name="tests", scopes=Scope.values, actor=ACTOR, now=NOW)
        yield secret
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def secret(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The key. One world serves all tests: each takes back what it did to it."""
    signals = (request_started, request_finished)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), _world() as secret:
        patch.setenv(clock.PINNED_CLOCK_VARIABLE, NOW.isoformat())
        for signal in signals:  # the transaction outlives the requests (Django's own test client does the same)
            signal.disconnect(close_old_connections)
        yield secret
        for signal in signals:
            signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def schema() -> Iterator["OpenApiSchema"]:
    """The document as schemathesis reads it."""
    printer = hypothesis.core.RepresentationPrinter  # type: ignore[attr-defined]
    import schemathesis  # noqa: PLC0415
    from schemathesis.config import SchemathesisConfig  # noqa: PLC0415

    config = SchemathesisConfig.from_dict(
        {
            "dictionaries": {name: {"values": values} for name, values in {**NAMES, "poison": POISON}.items()},
            "parameters": {name: {"dictionary": name, "probability": 0.5} for name in NAMES},
            "generation": {
                "dictionaries": {"string": {"dictionary": "poison", "probability": 0.3}},
                "with-security-parameters": False,
            },
        }
    )
    schemathesis.serializer("application/x-ndjson")(
        lambda _context, value: value if isinstance(value, bytes) else str(value).encode()
    )
    schema = schemathesis.openapi.from_path(DOCUMENT, config=config)
    schema.app = get_wsgi_application()
    yield schema
    # schemathesis has hypothesis print no falsifying examples, in all tests of the process.
    hypothesis.core.RepresentationPrinter = printer  # type: ignore[attr-defined]


@contextmanager
def _taken_back() -> Iterator[None]:
    """Take back what is written inside, after the checks that a commit would make."""
    before = transaction.savepoint()
    try:
        yield
        connection.check_constraints()
    finally:
        transaction.savepoint_rollback(before)


def _ask(case: "Case", secret: str) -> int:
    """Call, hold the answer against the document, and return its status."""
    from schemathesis.checks import not_a_server_error  # noqa: PLC0415
    from schemathesis.specs.openapi import checks  # noqa: PLC0415

    promises = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    response = case.call(headers={"Authorization": f"Bearer {secret}"})
    case.validate_response(response, checks=promises)
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        assert json.loads(response.content)["detail"].strip()
    return response.status_code


def _bounded(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=not FULL,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and list in it, as (holder, key)."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _good_body(operation: Any) -> Any:
    raw = operation.definition.raw
    if raw["operationId"] in BODIES:
        return BODIES[raw["operationId"]]
    return next(iter(raw["requestBody"]["content"][JSON]["examples"].values()))["value"]


@st.composite
def _damaged(draw: st.DrawFn, operation: Any) -> "Case":
    """The operation on something that is there, with a good body in which up to three values are odd or missing."""
    path = {parameter.name: draw(st.sampled_from(NAMES[f"path.{parameter.name}"])) for parameter in operation.path_parameters}
    body = copy.deepcopy(_good_body(operation))
    for _time in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        places = list(_places(body))
        if places:
            holder, key = draw(st.sampled_from(places))
            if draw(st.integers(0, 4)):
                holder[key] = copy.deepcopy(draw(ODD))
            else:
                del holder[key]
    text = re.sub(r'"<(.*?)>"', lambda found: str(json.loads(f'"{found[1]}"')), json.dumps(body))
    case: Case = operation.Case(path_parameters=path, body=text.encode(), media_type=JSON)
    return case


def _writes(schema: "OpenApiSchema") -> list[Any]:
    return [operation for operation in map(schema.find_operation_by_id, OPERATIONS) if len(operation.body)]


def _reads(schema: "OpenApiSchema") -> Iterator["Case"]:
    """Every list, and everything that a path can name."""
    for operation in map(schema.find_operation_by_id, OPERATIONS):
        if operation.method.upper() == "GET":
            parameters = [parameter.name for parameter in operation.path_parameters]
            for names in itertools.product(*(NAMES[f"path.{name}"] for name in parameters)):
                yield operation.Case(path_parameters=dict(zip(parameters, names, strict=True)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_made_up_requests_are_answered_as_the_document_says(name: str, schema: "OpenApiSchema", secret: str) -> None:
    from schemathesis import GenerationMode  # noqa: PLC0415

    operation = schema.find_operation_by_id(name)

    @_bounded(300 if FULL else 8)
    @given(operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE))
    def ask(case: "Case") -> None:
        with _taken_back():
            _ask(case, secret)

    ask()


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_edges_of_each_value_and_other_methods_are_answered(name: str, schema: "OpenApiSchema", secret: str) -> None:
    from schemathesis import GenerationMode  # noqa: PLC0415

    operation = schema.find_operation_by_id(name)
    schema.coverage_unexpected_methods_seen.clear()  # else an operation gets fewer cases after another one of its path
    cases = schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=schema.config.generation
    )
    for number, case in enumerate(cases):
        if FULL or number % 6 == 0:
            with _taken_back():
                _ask(case, secret)


def test_good_bodies_are_taken(schema: "OpenApiSchema", secret: str) -> None:
    statuses = {}
    for operation in _writes(schema):
        place = -1 if operation.tags == ["Plans"] or "/credit_notes/{number}" in operation.label else 0
        if operation.definition.raw["operationId"] == "replace_invoice_items":
            place = NAMES["path.number"].index(ONE_OFF)
        path = {parameter.name: NAMES[f"path.{parameter.name}"][place] for parameter in operation.path_parameters}
        with _taken_back():
            body = json.dumps(_good_body(operation)).encode()
            statuses[operation.label] = _ask(operation.Case(path_parameters=path, body=body, media_type=JSON), secret)

    assert {label: status for label, status in statuses.items() if status >= 300} == {}


def test_damaged_bodies_are_taken_or_refused(schema: "OpenApiSchema", secret: str) -> None:
    for operation in _writes(schema):

        @_bounded(500 if FULL else 15)
        @given(_damaged(operation))
        def ask(case: "Case") -> None:
            with _taken_back():
                _ask(case, secret)

        ask()


def test_what_was_taken_can_be_read_and_billed(schema: "OpenApiSchema", secret: str) -> None:
    reads = list(_reads(schema))

    @_bounded(300 if FULL else 10)
    @given(st.lists(st.one_of([_damaged(operation) for operation in _writes(schema)]), min_size=1, max_size=5))
    def ask(cases: list["Case"]) -> None:
        with _taken_back():
            statuses = [_ask(case, secret) for case in cases]
            if min(statuses) < 300:
                run = run_billing(as_of=at("2026-03-01"), finalize=True, actor=ACTOR, now=at("2026-03-01"))
                assert run.failed == ()
                for case in reads:
                    _ask(case, secret)

    ask()

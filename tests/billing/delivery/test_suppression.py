import pytest
from django.db import IntegrityError, transaction

from billing.delivery.suppression import lift_suppression, plain_address, suppress, suppression_of, why_suppressed
from billing.models import SuppressedAddress
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at

pytestmark = pytest.mark.django_db

NOW = at("2026-02-02")
Reason = SuppressedAddress.Reason


def bounced(address: str = "Gone@Acme.example", reason: SuppressedAddress.Reason = Reason.BOUNCE) -> SuppressedAddress | None:
    return suppress(address=address, reason=reason, detail="550 no such user", actor=ACTOR, now=NOW)


def trail() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(object_type="address").order_by("pk").values_list("action", "object_id"))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Gone@Acme.example", "gone@acme.example"),
        ("Anna <anna@acme.example>", "anna@acme.example"),
        ("not an address", ""),
        ("", ""),
        ("x" * 250 + "@a.example", ""),
    ],
)
def test_addresses_are_compared_without_names_and_case(written: str, plain: str) -> None:
    assert plain_address(written) == plain


def test_an_address_is_suppressed_once_and_says_why() -> None:
    first = bounced()
    again = bounced("gone@acme.example", Reason.COMPLAINT)
    assert first is not None
    assert again == first
    found = suppression_of("GONE@acme.example")
    assert found == first
    assert (first.reason, first.detail) == ("bounce", "550 no such user")
    assert why_suppressed(first) == "mail to the address came back on 2 February 2026: send to another, or lift the suppression"
    assert trail() == [("address.suppressed", "gone@acme.example")]


def test_what_is_no_address_suppresses_nothing() -> None:
    assert bounced("nobody") is None
    assert (SuppressedAddress.objects.count(), trail()) == (0, [])


def test_it_is_lifted_once_and_the_next_bounce_suppresses_it_anew() -> None:
    first = bounced()
    assert first is not None
    for _time in range(2):
        assert lift_suppression(suppressed_id=first.pk, actor=ACTOR, now=at("2026-02-05")).lifted_at == at("2026-02-05")
    assert suppression_of("gone@acme.example") is None
    second = bounced(reason=Reason.COMPLAINT)
    assert second is not None
    assert second.pk != first.pk
    assert why_suppressed(second).startswith("the address complained about our mail on 2 February 2026")
    assert [action for action, _address in trail()] == ["address.suppressed", "address.lifted", "address.suppressed"]


def test_the_database_keeps_one_live_suppression_of_an_address() -> None:
    bounced()
    with pytest.raises(IntegrityError), transaction.atomic():
        SuppressedAddress.objects.create(address="gone@acme.example", reason="bounce", suppressed_at=NOW)

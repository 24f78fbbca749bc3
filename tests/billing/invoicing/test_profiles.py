"""How a customer is billed is changed as a whole, with the trail, and bills from the next draft on."""

from typing import Any

import pytest

from billing.invoicing.entities import default_entity
from billing.invoicing.profiles import ProfileError, change_billing
from billing.models import BillingEntity, BillingProfile
from customers.models import AuditEvent, Customer
from tests.billing.builders import ACTOR, NOW, bill, invoices, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db


def change(customer: Customer, **changes: Any) -> BillingProfile:
    return change_billing(customer_id=customer.pk, changes=changes, actor=ACTOR, now=NOW)


def test_only_what_is_named_changes_and_it_is_on_the_trail() -> None:
    customer = make_customer()
    change(customer, grace_minutes=30, buyer_reference=" 04011000 ")
    profile = change(customer, finalizes_by_itself=False)
    assert (profile.grace_minutes, profile.finalizes_by_itself, profile.buyer_reference) == (30, False, "04011000")
    event = AuditEvent.objects.filter(action="customer.billing_changed").order_by("-pk")[0]
    assert (event.object_id, event.before, event.after) == ("acme", {"finalizes_by_itself": None}, {"finalizes_by_itself": False})
    rows = row_counts()
    change(customer, grace_minutes=30)
    assert row_counts() == rows


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"billing_entity": "nobody"}, "billing_entity"),
        ({"grace_minutes": 86_401}, "grace_minutes"),
        ({"grace_minutes": -1}, "grace_minutes"),
        ({"tax_exemption_code": "VATEX-EU-132-1I"}, "tax_exemption_reason"),
        ({"buyer_reference": "x" * 65}, "buyer_reference"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_what_cannot_be_is_refused_with_the_member(changes: dict[str, Any], member: str) -> None:
    customer = make_customer()
    rows = row_counts()
    with pytest.raises(ProfileError) as caught:
        change(customer, **changes)
    assert list(caught.value.errors) == [member]
    assert row_counts() == rows
    assert not BillingProfile.objects.exists()


def test_another_seller_bills_from_the_next_draft_on_with_its_own_numbers() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    seller = default_entity()
    other = BillingEntity.objects.create(code="second", name="Second", legal_name="Second Ltd")
    bill("2026-02-01")
    bill("2026-03-01", finalize=False)
    change(customer, billing_entity="second")
    assert [invoice.billing_entity_id for invoice in invoices()] == [seller.pk, seller.pk]
    bill("2026-04-01")
    assert [(invoice.billing_entity_id, invoice.number) for invoice in invoices()] == [
        (seller.pk, "INV-000001"),
        (other.pk, "INV-SECOND-000001"),  # the draft followed when it was worked out
        (other.pk, "INV-SECOND-000002"),
    ]
    assert invoices()[1].snapshot["seller"]["legal_name"] == "Second Ltd"

from decimal import Decimal

import pytest
from django.test import Client

from billing.models import BillingEntity, Subscription, TaxRate, TaxRegistration
from customers.models import AuditEvent, Customer
from tests.billing.builders import make_customer, row_counts
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db
RATE = {
    "country": "US",
    "region": "California",
    "tax_class": "standard",
    "rate_pct": "7.25",
    "label": "",
    "valid_from": "2026-01-01",
}


def entity(**facts: str) -> BillingEntity:
    known = {"code": "main", "name": "Main", "legal_name": "Main GmbH", "country": "DE", "tax_id": "DE136695976"}
    return BillingEntity.objects.create(is_default=True, **(known | facts))


def page_of(desk: Client, customer: Customer) -> str:
    return desk.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()


def test_rate_is_entered_changed_and_never_deleted(desk: Client) -> None:
    assert desk.post("/admin/billing/taxrate/add/", RATE).status_code == 302
    rate = TaxRate.objects.get()
    assert (rate.region, rate.rate_pct) == ("CA", Decimal("7.25"))
    url = f"/admin/billing/taxrate/{rate.pk}"
    assert desk.post(f"{url}/change/", RATE | {"rate_pct": "7.5"}).status_code == 302
    assert desk.post(f"{url}/delete/", {"post": "yes"}).status_code == 403
    assert TaxRate.objects.get().rate_pct == Decimal("7.5")
    said = [(event.action, event.actor_label) for event in AuditEvent.objects.order_by("pk")]
    assert said == [("tax_rate.created", "finance@example.com"), ("tax_rate.updated", "finance@example.com")]
    assert "7.5" in desk.get("/admin/billing/taxrate/").content.decode()


def test_refusals_stand_at_their_fields_and_write_nothing(desk: Client) -> None:
    desk.post("/admin/billing/taxrate/add/", RATE)
    before = row_counts()
    answer = desk.post("/admin/billing/taxrate/add/", RATE | {"rate_pct": "8"})
    assert answer.context["adminform"].form.errors == {
        "valid_from": ["There is a rate of this place and class from that day already: change that one."]
    }
    answer = desk.post("/admin/billing/taxrate/add/", RATE | {"country": "LI", "valid_from": ""})
    assert answer.context["adminform"].form.errors == {"valid_from": ["This field is required."]}
    assert row_counts() == before
    assert TaxRate.objects.count() == 1


def test_registration_is_entered_and_checked(desk: Client) -> None:
    form = {"billing_entity": str(entity().pk), "country": "FR", "region": "", "tax_id": "FR1", "valid_from": "2026-01-01"}
    answer = desk.post("/admin/billing/taxregistration/add/", form)
    assert list(answer.context["adminform"].form.errors) == ["tax_id"]
    assert not TaxRegistration.objects.exists()
    assert desk.post("/admin/billing/taxregistration/add/", form | {"tax_id": "FR61954506077"}).status_code == 302
    assert TaxRegistration.objects.get().country == "FR"
    assert desk.get("/admin/billing/taxregistration/").status_code == 200


def test_own_vat_id_of_a_seller_is_checked_and_a_national_number_is_not(desk: Client) -> None:
    seller = entity()
    url = f"/admin/billing/billingentity/{seller.pk}/change/"
    form = desk.get(url).context["adminform"].form
    values = {name: value for name in form.fields if (value := form.initial.get(name)) is not None}
    refused = desk.post(url, values | {"tax_id": "DE136695977"})
    assert list(refused.context["adminform"].form.errors) == ["tax_id"]
    assert BillingEntity.objects.get().tax_id == "DE136695976"
    assert desk.post(url, values | {"tax_id": "37/123/45678"}).status_code == 302
    assert BillingEntity.objects.get().tax_id == "37/123/45678"


def test_pages_are_in_the_sidebar(desk: Client) -> None:
    page = desk.get("/admin/").content.decode()
    assert "/admin/billing/taxrate/" in page
    assert "/admin/billing/taxregistration/" in page


def test_page_of_a_customer_says_which_tax_and_why(desk: Client) -> None:
    entity()
    page = page_of(desk, make_customer(country="FR", tax_id="FR 61 954 506 077"))
    assert "VAT 0%" in page
    assert "A business in another EU country with a VAT id of FR: it owes the tax itself." in page
    assert "Printed: “Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC).”" in page


def test_page_of_a_customer_says_what_is_wrong_with_its_vat_id(desk: Client) -> None:
    entity()
    page = page_of(desk, make_customer(country="FR", tax_id="FR 61 954 506 078"))
    assert "VAT 19%" in page
    assert "The check digits of FR61954506078 do not match: look for a typing mistake." in page


def test_page_of_a_subscription_opens_where_the_tax_is_not_known(desk: Client) -> None:
    customer = small_books()
    BillingEntity.objects.filter(is_default=True).update(country="AU", tax_id="51824753556")
    Customer.objects.filter(pk=customer.pk).update(country="AU", tax_rate_pct=None)
    subscription = Subscription.objects.get()
    page = desk.get(f"/admin/billing/subscription/{subscription.pk}/change/").content.decode()
    assert "There is no tax rate for AU, class standard" in page


def test_page_of_a_customer_opens_where_the_tax_is_not_known(desk: Client) -> None:
    entity(country="AU", tax_id="51824753556")
    page = page_of(desk, make_customer(country="AU"))
    assert "There is no tax rate for AU, class standard" in page

from django.http import HttpRequest
from django.test import RequestFactory

from customers.models import User
from squill.web.admin_site import navigation


def groups_for(*, is_superuser: bool) -> dict[str, list[str]]:
    request: HttpRequest = RequestFactory().get("/admin/")
    request.user = User(email="x@example.com", is_superuser=is_superuser, is_active=is_superuser)
    return {str(group.get("title", "")): [str(item["title"]) for item in group["items"]] for group in navigation(request)}


def test_a_superuser_sees_every_group_in_the_order_of_the_work() -> None:
    assert groups_for(is_superuser=True) == {
        "": ["Overview"],
        "Customers": ["Customers", "Portal users"],
        "Usage": ["Meters", "Events", "Corrections", "Quarantine"],
        "Catalogue": ["Plans", "Plan versions", "Coupons"],
        "Billing": [
            "Subscriptions",
            "Invoices",
            "Credit notes",
            "Payments",
            "Credits",
            "Credit ledger",
            "Billing runs",
            "Deliveries",
            "Suppressed addresses",
        ],
        "Settings": ["Billing entities", "Tax registrations", "Tax rates", "Number series", "API keys", "Users", "Audit trail"],
    }


def test_whoever_may_see_nothing_has_only_the_overview() -> None:
    assert groups_for(is_superuser=False) == {"": ["Overview"]}

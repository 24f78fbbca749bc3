from django.template import Context
from django.test import RequestFactory
from pytest_django import Settings

from squill.templatetags.portal import company_name, portal_navigation


def current(path: str) -> list[str]:
    links = portal_navigation(Context({"request": RequestFactory().get(path)}))
    assert [str(link["title"]) for link in links] == ["Overview", "Usage", "Invoices"]
    return [str(link["title"]) for link in links if link["is_current"]]


def test_the_page_that_is_open_is_the_current_one() -> None:
    assert current("/portal/") == ["Overview"]
    assert current("/portal/usage") == ["Usage"]


def test_a_page_below_belongs_to_the_one_above() -> None:
    assert current("/portal/invoices/INV-1") == ["Invoices"]


def test_the_company_has_the_name_of_the_setting(settings: Settings) -> None:
    settings.SQUILL_COMPANY_NAME = "Lumen Cloud"
    assert company_name() == "Lumen Cloud"

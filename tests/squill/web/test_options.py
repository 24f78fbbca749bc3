import pytest
from django.test import Client

from customers.api_keys import issue_api_key
from squill.lib import clock
from squill.lib.actor import system

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/customers", {"GET", "POST"}),
        ("/api/v1/customers/acme", {"GET", "PUT", "PATCH", "DELETE"}),
        ("/api/v1/plans/scale", {"GET", "PUT"}),
        ("/api/v1/invoices/INV-000001/pdf", {"GET"}),
        ("/openmeter/api/v1/meters/calls", {"GET", "PUT", "DELETE"}),
    ],
)
def test_options_tells_the_methods_of_a_path_and_nothing_else(path: str, methods: set[str]) -> None:
    _key, secret = issue_api_key(name="tests", scopes=["read"], actor=system("tests"), now=clock.now())

    answer = Client().options(path, headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert methods <= set(answer["Allow"].split(", "))
    assert "Content-Type" not in answer

import pytest
from django.test import Client

from tests.billing.desks import TODAY
from tests.customers.factories import staff


@pytest.fixture
def desk(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The finance desk, signed in to, in the middle of February 2026."""
    monkeypatch.setenv("SQUILL_NOW", TODAY)
    client.force_login(staff())
    return client

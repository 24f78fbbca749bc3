from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from customers.api_keys import issue_api_key
from customers.models import Customer, Scope
from squill.lib import clock
from tests.usage.builders import ACTOR, NOW

type Client = Callable[..., APIClient]


@pytest.fixture
def client_with(monkeypatch: pytest.MonkeyPatch, db: None) -> Client:
    """Make clients with a key of their own; the clock stands still at NOW."""
    monkeypatch.setenv(clock.PINNED_CLOCK_VARIABLE, NOW.isoformat())

    def make(*scopes: str, customer: Customer | None = None) -> APIClient:
        _key, secret = issue_api_key(name="test", scopes=scopes or Scope.values, actor=ACTOR, now=NOW, customer=customer)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return client

    return make

import re

import pytest
from django.test import Client

from customers.api_keys import authenticate
from customers.models import ApiKey, AuditEvent
from squill.lib import clock
from tests.customers.factories import api_key, staff

pytestmark = pytest.mark.django_db

ADD = "/admin/customers/apikey/add/"
FORM = {"name": "app", "scopes": ["read", "write"], "customer": "", "expires_at_0": "", "expires_at_1": ""}


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(staff())
    return client


def test_the_secret_is_shown_once(desk: Client) -> None:
    shown = desk.post(ADD, FORM, follow=True).content.decode()
    found = re.search(r"sq_live_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", shown)
    assert found is not None
    made = authenticate(found[0], clock.now())
    assert made is not None
    assert (made.name, made.scopes) == ("app", ["read", "write"])
    page = desk.get(f"/admin/customers/apikey/{made.pk}/change/").content.decode()
    assert made.prefix in page
    assert found[0] not in page
    assert found[0] not in desk.get("/admin/customers/apikey/").content.decode()


def test_a_key_without_scopes_is_refused(desk: Client) -> None:
    answer = desk.post(ADD, {**FORM, "scopes": []})
    assert answer.context["adminform"].form.errors == {"scopes": ["This field is required."]}
    assert not ApiKey.objects.exists()


def test_an_expiry_in_the_past_is_refused(desk: Client) -> None:
    answer = desk.post(ADD, {**FORM, "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"})
    assert answer.context["adminform"].form.errors == {"expires_at": ["Choose a time in the future."]}
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_key_is_never_changed_only_revoked(desk: Client) -> None:
    made, secret = api_key("read")
    assert desk.post(f"/admin/customers/apikey/{made.pk}/change/", FORM).status_code == 403
    made.refresh_from_db()
    assert made.scopes == ["read"]
    assert "Revoke" in desk.get(f"/admin/customers/apikey/{made.pk}/revoke/").content.decode()
    assert authenticate(secret, clock.now()) is not None
    desk.post(f"/admin/customers/apikey/{made.pk}/revoke/")
    assert authenticate(secret, clock.now()) is None
    assert AuditEvent.objects.get(action="api_key.revoked").actor_label == "finance@example.com"

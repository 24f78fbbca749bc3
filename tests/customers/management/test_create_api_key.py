from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.api_keys import authenticate, new_secret
from customers.models import ApiKey, AuditEvent
from squill.lib import clock
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db


def test_the_printed_line_is_the_key() -> None:
    customer = CustomerFactory.create(external_id="acme")
    out, err = StringIO(), StringIO()
    call_command(
        "create_api_key", "app", "--scope", "read", "--scope", "events:write", "--customer", "acme", stdout=out, stderr=err
    )
    found = authenticate(out.getvalue().strip(), clock.now())
    assert found is not None
    assert (found.name, found.scopes, found.customer) == ("app", ["events:write", "read"], customer)
    assert "shown this once" in err.getvalue()


def test_an_unknown_customer_is_refused_and_no_key_is_made() -> None:
    with pytest.raises(CommandError, match="there is no customer 'nobody'"):
        call_command("create_api_key", "app", "--scope", "read", "--customer", "nobody")
    assert not ApiKey.objects.exists()


def test_an_expiry_in_the_past_is_refused_and_no_key_is_made() -> None:
    with pytest.raises(CommandError, match=r"expires_at: Choose a time in the future\."):
        call_command("create_api_key", "app", "--scope", "read", "--expires-at", "2020-01-01T00:00:00Z")
    assert not ApiKey.objects.exists()


def test_a_key_that_was_made_elsewhere_works_and_is_not_printed() -> None:
    secret = new_secret()
    out, err = StringIO(), StringIO()
    call_command("create_api_key", "app", "--scope", "read", f"--kept-as={secret.kept_as}", stdout=out, stderr=err)
    found = authenticate(secret.text, clock.now())
    assert found is not None
    assert (found.name, found.scopes) == ("app", ["read"])
    assert out.getvalue() == ""
    assert secret.text not in err.getvalue() + repr(secret)
    assert AuditEvent.objects.get(action="api_key.issued").object_id == secret.prefix


def test_what_is_no_hash_of_a_new_key_is_refused() -> None:
    secret = new_secret()
    call_command("create_api_key", "app", "--scope", "read", f"--kept-as={secret.kept_as}")
    for kept_as in (secret.kept_as, secret.text, f"{secret.prefix}:", "sq_live_abc:" + "0" * 64):
        with pytest.raises(CommandError, match="kept_as: Write prefix:hash, of a key that is new"):
            call_command("create_api_key", "other", "--scope", "read", f"--kept-as={kept_as}")
    assert ApiKey.objects.count() == 1

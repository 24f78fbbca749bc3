from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.api_keys import authenticate
from customers.models import ApiKey
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

import hashlib
import re
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from customers.api_keys import ApiKeyError, authenticate, issue_api_key, revoke_api_key
from customers.models import ApiKey, AuditEvent
from tests.customers.factories import ACTOR, NOW, CustomerFactory, api_key

pytestmark = pytest.mark.django_db


def test_only_the_hash_of_a_key_is_stored() -> None:
    made, secret = api_key("read")
    assert re.fullmatch(r"sq_live_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", secret)
    row = ApiKey.objects.values().get()
    assert row["secret_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.startswith(f"{made.prefix}_")
    secret_part = secret.removeprefix(f"{made.prefix}_")
    assert secret_part not in str(row)
    assert secret_part not in str(list(AuditEvent.objects.values()))


def test_a_key_is_known_again() -> None:
    customer = CustomerFactory.create()
    made, secret = api_key("read", customer=customer)
    found = authenticate(secret, NOW)
    assert found == made
    assert found is not None
    assert found.customer == customer


@pytest.mark.parametrize(
    "text", ["", "sq_live_", "Bearer x", "sq_live_abcdefgh_" + "a" * 43, "sq_live_abcdefgh_" + "ä" * 43, "\0" * 60]
)
def test_what_is_no_key_is_not_known(text: str) -> None:
    api_key()
    assert authenticate(text, NOW) is None


def test_the_right_prefix_with_another_secret_is_not_known() -> None:
    made, secret = api_key()
    assert authenticate(f"{made.prefix}_{'A' * 43}", NOW) is None
    assert authenticate(secret[:-1], NOW) is None
    assert authenticate(secret + "A", NOW) is None


def test_a_key_works_until_just_before_it_expires() -> None:
    end = NOW + timedelta(days=1)
    _made, secret = api_key(expires_at=end)
    assert authenticate(secret, end - timedelta(microseconds=1)) is not None
    assert authenticate(secret, end) is None


def test_a_revoked_key_is_dead_at_once_and_audited_once() -> None:
    made, secret = api_key()
    for _time in range(2):
        revoke_api_key(api_key_id=made.pk, actor=ACTOR, now=NOW)
    assert authenticate(secret, NOW) is None
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert (event.object_id, event.after) == (made.prefix, {"revoked_at": "2026-03-01T12:00:00+00:00"})


def test_a_key_that_was_used_is_dead_at_once_where_it_is_revoked() -> None:
    made, secret = api_key()
    assert authenticate(secret, NOW) is not None
    revoke_api_key(api_key_id=made.pk, actor=ACTOR, now=NOW)
    assert authenticate(secret, NOW) is None


def test_a_key_that_another_process_revokes_is_dead_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    made, secret = api_key()
    seconds = 100
    monkeypatch.setattr("customers.api_keys.time.monotonic", lambda: seconds)
    assert authenticate(secret, NOW) is not None
    ApiKey.objects.filter(pk=made.pk).update(revoked_at=NOW)  # past this process's memory
    seconds = 104
    assert authenticate(secret, NOW) is not None
    seconds = 105
    assert authenticate(secret, NOW) is None


def test_remembering_a_key_does_not_let_in_another_secret_or_outlive_its_expiry() -> None:
    end = NOW + timedelta(seconds=1)
    made, secret = api_key(expires_at=end)
    assert authenticate(secret, NOW) is not None
    assert authenticate(f"{made.prefix}_{'A' * 43}", NOW) is None
    assert authenticate(secret, end) is None


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made, secret = api_key()
    with django_assert_num_queries(2):
        authenticate(secret, NOW)
    with django_assert_num_queries(0):  # the key is remembered
        authenticate(secret, NOW + timedelta(seconds=59))
    made.refresh_from_db()
    assert made.last_used_at == NOW
    authenticate(secret, NOW + timedelta(seconds=60))
    made.refresh_from_db()
    assert made.last_used_at == NOW + timedelta(seconds=60)


def test_a_refused_key_notes_no_use() -> None:
    made, _secret = api_key()
    authenticate(f"{made.prefix}_{'A' * 43}", NOW)
    made.refresh_from_db()
    assert made.last_used_at is None


def test_issuing_names_every_bad_field_and_writes_nothing() -> None:
    with pytest.raises(ApiKeyError) as refusal:
        issue_api_key(name=" ", scopes=["root"], expires_at=NOW, actor=ACTOR, now=NOW)
    assert refusal.value.errors == {
        "name": "Write 1 to 100 printable characters.",
        "scopes": "Choose from events:write, events:backfill, read, write.",
        "expires_at": "Choose a time in the future.",
    }
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_key_without_scopes_is_refused() -> None:
    with pytest.raises(ApiKeyError, match=r"^scopes: "):
        issue_api_key(name="app", scopes=[], actor=ACTOR, now=NOW)

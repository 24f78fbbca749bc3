from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command

from customers.models import AuditEvent, User

pytestmark = pytest.mark.django_db


def test_the_printed_line_is_the_password_of_somebody_who_may_do_everything() -> None:
    out, err = StringIO(), StringIO()
    call_command("create_staff", "Anna@Example.com", stdout=out, stderr=err)
    user = authenticate(username="anna@example.com", password=out.getvalue().strip())
    assert isinstance(user, User)
    assert (user.is_staff, user.is_superuser) == (True, True)
    event = AuditEvent.objects.get(action="user.created")
    assert (event.object_id, event.actor_label) == ("anna@example.com", "create_staff")
    assert out.getvalue().strip() not in f"{event.after}{err.getvalue()}"


def test_with_the_hash_of_a_password_nothing_secret_is_printed() -> None:
    out = StringIO()
    call_command("create_staff", "anna@example.com", f"--password-hash={make_password('made elsewhere')}", stdout=out, stderr=out)
    assert authenticate(username="anna@example.com", password="made elsewhere") == User.objects.get()
    assert out.getvalue() == "anna@example.com may sign in to the finance desk\n"


def test_what_is_no_hash_is_refused_and_nobody_is_made() -> None:
    with pytest.raises(CommandError, match="none of those that Django makes"):
        call_command("create_staff", "anna@example.com", "--password-hash=secret")
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("email", ["anna", "anna@", ""])
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(CommandError, match="is no e-mail address"):
        call_command("create_staff", email)
    assert not User.objects.exists()


def test_somebody_who_is_known_is_left_as_they_are() -> None:
    known = User.objects.create_user("anna@example.com", "her own")
    with pytest.raises(CommandError, match=r"there is a user anna@example\.com already"):
        call_command("create_staff", "ANNA@example.com")
    known.refresh_from_db()
    assert (known.is_staff, known.check_password("her own")) == (False, True)

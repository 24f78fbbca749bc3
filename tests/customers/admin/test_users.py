from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from customers.models import AuditEvent, User
from tests.customers.factories import UserFactory, staff

pytestmark = pytest.mark.django_db


def clerk_client(*codenames: str) -> Client:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(clerk)
    return client


def desk_client() -> Client:
    client = Client()
    client.force_login(staff())
    return client


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    return {"email": user.email, "full_name": user.full_name, "is_active": "on", **changes}


def test_a_superuser_makes_staff_and_it_is_audited() -> None:
    user, group = UserFactory.create(email="bo@example.com"), Group.objects.create(name="Finance")
    changes = form_of(user, email="BO@Example.com", is_staff="on", groups=[group.pk])
    answer = desk_client().post(f"/admin/customers/user/{user.pk}/change/", changes)
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.email, user.is_staff, list(user.groups.all())) == ("bo@example.com", True, [group])
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.actor_label) == ("user.updated", "bo@example.com", "finance@example.com")
    assert (event.after["is_staff"], event.after["groups"]) == (True, ["Finance"])


def test_a_new_person_is_audited_without_the_password() -> None:
    password = "a long enough secret"
    form = {
        "email": "Bo@Example.com",
        "full_name": "Bo",
        "usable_password": "true",
        "password1": password,
        "password2": password,
    }
    answer = desk_client().post("/admin/customers/user/add/", form)
    assert answer.status_code == 302
    user = User.objects.get(email="bo@example.com")
    assert user.check_password(password)
    event = AuditEvent.objects.get()
    assert (event.action, event.after) == ("user.created", {"email": "bo@example.com", "full_name": "Bo"})


def test_a_changed_password_is_audited_without_it() -> None:
    user = UserFactory.create(email="bo@example.com")
    password = "a long enough secret"
    form = {"usable_password": "true", "password1": password, "password2": password, "set-password": "1"}
    answer = desk_client().post(f"/admin/customers/user/{user.pk}/password/", form)
    assert answer.status_code == 302
    user.refresh_from_db()
    assert user.check_password(password)
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.before, event.after) == ("user.password_changed", "bo@example.com", {}, {})


def test_nobody_gives_powers_without_being_a_superuser() -> None:
    client = clerk_client("view_user", "change_user")
    user = UserFactory.create()
    client.post(f"/admin/customers/user/{user.pk}/change/", form_of(user, full_name="Bo", is_staff="on", is_superuser="on"))
    user.refresh_from_db()
    assert (user.full_name, user.is_staff, user.is_superuser) == ("Bo", False, False)


def test_staff_and_their_passwords_are_changed_by_superusers_only() -> None:
    client = clerk_client("view_user", "change_user")
    chief = staff()
    assert client.post(f"/admin/customers/user/{chief.pk}/change/", form_of(chief, full_name="X")).status_code == 403
    form = {"usable_password": "true", "password1": "taken over 1234", "password2": "taken over 1234"}
    assert client.post(f"/admin/customers/user/{chief.pk}/password/", form).status_code == 403
    chief.refresh_from_db()
    assert chief.check_password("correct horse battery")
    assert not AuditEvent.objects.exists()


def test_groups_are_made_by_superusers_only() -> None:
    assert clerk_client("add_group", "change_group").post("/admin/auth/group/add/", {"name": "All"}).status_code == 403
    assert not Group.objects.exists()
    assert desk_client().post("/admin/auth/group/add/", {"name": "Finance"}).status_code == 302
    assert Group.objects.get().name == "Finance"

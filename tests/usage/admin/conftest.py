from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import User


@pytest.fixture
def finance(client: Client) -> Client:
    """Somebody who may do everything."""
    client.force_login(User.objects.create_superuser("finance@squill.example"))
    return client


@pytest.fixture
def clerk() -> Callable[..., Client]:
    """Return a client of a member of staff who may do only what the named permissions say."""

    def signed_in(*permissions: str) -> Client:
        user = User.objects.create_user("clerk@squill.example", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return signed_in

"""Rows of WHO for tests. What a service would make is made by the service where the test is about it."""

from datetime import UTC, datetime
from typing import Any

import factory

from customers.api_keys import issue_api_key
from customers.models import ApiKey, Customer, PortalUser, Scope, Subject, User
from squill.lib.actor import Actor

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACTOR = Actor("user", "finance@example.com")


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person of a customer, without a password."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person-{number}@example.com")
    full_name = "Ana Lima"
    password = "!"  # unusable


class CustomerFactory(factory.django.DjangoModelFactory[Customer]):
    """A customer with its external id as subject; `subject_keys=["…"]` adds more."""

    class Meta:
        model = Customer
        skip_postgeneration_save = True

    external_id = factory.Sequence(lambda number: f"customer-{number}")
    name = factory.Sequence(lambda number: f"Customer {number}")
    email = "billing@example.com"
    currency = "EUR"
    timezone = "Europe/Berlin"
    created_at = NOW

    @factory.post_generation
    def subject_keys(self: Customer, create: bool, extracted: Any, **_kwargs: Any) -> None:
        """Make the subjects."""
        keys = [self.external_id, *(extracted or ())]
        Subject.objects.bulk_create(Subject(customer=self, key=key) for key in keys)


class PortalUserFactory(factory.django.DjangoModelFactory[PortalUser]):
    """A person with access to a customer's portal."""

    class Meta:
        model = PortalUser

    user: Any = factory.SubFactory(UserFactory)
    customer: Any = factory.SubFactory(CustomerFactory)
    created_at = NOW


def staff(email: str = "finance@example.com") -> User:
    """Make a superuser of the finance desk."""
    return User.objects.create_superuser(email, "correct horse battery")


def api_key(*scopes: str, **narrowing: Any) -> tuple[ApiKey, str]:
    """Make a key with these scopes (all, if none are named) and return it with its secret."""
    return issue_api_key(name="tests", scopes=scopes or Scope.values, actor=ACTOR, now=NOW, **narrowing)


def bearer(*scopes: str, **narrowing: Any) -> dict[str, str]:
    """Return the headers of a request with a new key, for Django's test client."""
    return {"Authorization": f"Bearer {api_key(*scopes, **narrowing)[1]}"}

"""Locks are waited for, and then say what is so after the wait."""

import threading
import time

import pytest
from django.db import transaction

from billing.locks import lock_subscription
from billing.models import Subscription
from tests.billing.builders import make_customer, subscribe
from tests.billing.subscriptions.plans_made import fee, sell
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_subscription_whose_plan_changed_while_one_waited_is_found_with_its_new_plan() -> None:
    sell("basic", fee("31"))
    pro = sell("pro", fee("62"))
    subscription = subscribe(make_customer(), "basic")
    is_held = threading.Event()

    def change() -> None:
        with transaction.atomic():
            lock_subscription(subscription.pk)
            Subscription.objects.update(plan_version=pro, plan=pro.plan)
            is_held.set()
            time.sleep(0.3)

    def wait() -> str:
        is_held.wait(10)
        with transaction.atomic():
            found = lock_subscription(subscription.pk)
            return found.plan.code if found else "not found"

    assert in_threads(change, wait)[1] == "pro"


def test_one_that_somebody_holds_is_skipped_where_asked_for() -> None:
    sell("basic", fee("31"))
    subscription = subscribe(make_customer(), "basic")
    is_held, is_done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_subscription(subscription.pk)
            is_held.set()
            is_done.wait(10)

    def skip() -> Subscription | None:
        is_held.wait(10)
        with transaction.atomic():
            found = lock_subscription(subscription.pk, skip_locked=True)
        is_done.set()
        return found

    assert in_threads(hold, skip)[1] is None

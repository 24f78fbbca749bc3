"""The subscription that most tests of changes begin with."""

import pytest

from billing.models import Subscription
from tests.billing.builders import make_customer, subscribe
from tests.billing.subscriptions.plans_made import calls, fee, seats, sell, sell_add_on


@pytest.fixture
def basic() -> Subscription:
    """On `basic` (a fee and seats in advance, calls) from 1 January; `pro` is like it, and `yearly` is not."""
    sell("basic", fee("31"), seats("31"), calls("1"))
    sell("pro", fee("62"), seats("62"), calls("2"))
    sell("yearly", fee("365"), calls("1"), interval="yearly")
    sell_add_on("support", fee("31"))
    sell_add_on("setup", fee("100", in_advance=False), once=True)
    return subscribe(make_customer(), "basic")

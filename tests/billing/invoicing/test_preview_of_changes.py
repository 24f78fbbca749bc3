"""What a change adds to all that is due in the running period."""

import pytest

from billing.invoicing.preview import preview_change
from billing.subscriptions.changing import change_plan
from tests.billing.builders import ACTOR, at, bill, make_customer, row_counts, subscribe
from tests.billing.subscriptions.plans_made import fee, sell

pytestmark = pytest.mark.django_db


def test_a_draft_that_the_change_drops_is_counted_on_both_sides() -> None:
    sell("basic", fee("31"))
    sell("pro", fee("62"))
    subscription = subscribe(make_customer(), "basic")
    bill("2026-01-01")
    bill("2026-02-01", finalize=False)
    before = row_counts()
    now = at("2026-02-01T12:00:00Z")

    found = preview_change(
        subscription_id=subscription.pk,
        change=lambda: change_plan(subscription_id=subscription.pk, plan_code="pro", when=now, actor=ACTOR, now=now),
        now=now,
    )

    # Due up to 1 March are the fees of February (a draft) and of March: 2 x 62 in place of 2 x 31.
    assert (found.difference_minor, found.compared_until) == (6200, at("2026-03-01"))
    assert row_counts() == before

"""What becomes of Mosaic Interiors: a workshop, more seats, support, and the larger plan, month by month."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from billing.models import Subscription
from billing.subscriptions.changing import change_plan, change_quantity, put_add_on
from squill.lib.actor import system

_GROWS: Final = "mosaic"
type _Change = Callable[[dict[str, Any]], object]
# By the month of the story, its day, and what is decided then. The last one lies ahead, to be looked at and undone.
_CHANGES: Final[tuple[tuple[int, int, _Change], ...]] = (
    (0, 10, lambda said: put_add_on(plan_code="onboarding", quantity=Decimal(1), **said)),
    (2, 12, lambda said: change_quantity(charge_code="seats", quantity=Decimal(7), **said)),
    (3, 8, lambda said: put_add_on(plan_code="priority-support", quantity=Decimal(1), **said)),
    (4, 19, lambda said: change_plan(plan_code="studio-plus", **said)),
    (6, 2, lambda said: change_quantity(charge_code="seats", quantity=Decimal(9), **(said | {"when": "period_end"}))),
)


def change_subscriptions(index: int, month: date, *, not_after: datetime) -> None:
    """Carry out what the story has for a month, each at noon of its day, or at the latest when the story ends."""
    subscription = Subscription.objects.get(customer__external_id=_GROWS)
    for of_month, day, change in _CHANGES:
        if of_month == index:
            now = min(datetime.combine(month + timedelta(days=day - 1), time(12), UTC), not_after)
            change({"subscription_id": subscription.pk, "when": now, "actor": system("demo"), "now": now})

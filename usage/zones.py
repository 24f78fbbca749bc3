"""A customer's time zone changes: its days are other days then, so all its usage is counted again by them."""

from collections.abc import Callable
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from customers.zones import ZoneIsFixed
from usage import put_away
from usage.ingestion import locks
from usage.rollups.rebuild import rebuild_customer

# The triggers on customers_customer let the zone change in a transaction that says so.
_ALLOW: Final = "SELECT set_config('squill.days_counted_again_for', %s, true)"

# No month is put away between our question and our reading of the events, whose totals would be lost.
_KEEP_MONTHS: Final = "LOCK TABLE ONLY usage_event IN ACCESS SHARE MODE"


def days_move(customer_id: int) -> Callable[[], None]:
    """
    Prepare for a change of the customer's time zone, in the transaction of the caller; the answer counts its days again.

    Waits for all who count events and keeps them out until the transaction ends; reads the customer's events once. What was
    billed by the old days and is worth something else by the new ones is an adjustment like any other (ADR-0016).

    :raises ZoneIsFixed: if events of the customer were put away, so that they cannot be counted again
    """
    locks.keep_all_counting_out()
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_MONTHS)
    if put_away.has_totals_of(customer_id):
        raise ZoneIsFixed(_("This is fixed: events of the customer were put away, and their days cannot be counted again."))
    _allow(str(customer_id))

    def count_again() -> None:
        rebuild_customer(customer_id)
        _allow("")

    return count_again


def _allow(customer_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ALLOW, [customer_id])

"""
Every lock of billing, so that the order in which they are taken can be read in one place: subscription, then series.

A subscription comes before its customer (customers.locks), whom changes of what it has to itself lock.
"""

from typing import Final

from django.db import connection

from billing.models import Invoice, NumberSeries, Subscription

# Names the advisory lock of the catalogue, which has no row to lock before its first plan.
_CATALOG_KEYS: Final = (7302, 0)


def lock_catalog() -> None:
    """Let one transaction at a time compare the catalogue with what is wanted and change it; readers do not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _CATALOG_KEYS)


def lock_subscription(subscription_id: int, *, skip_locked: bool = False) -> Subscription | None:
    """
    Lock a subscription for the rest of the transaction and load its customer, plan and version (not locked), as
    they are once the lock is held.

    None if it is not there, or with `skip_locked` if somebody else holds it. Two queries.
    """
    # Locked by itself: with the version joined, a row whose version was changed while we waited would not be found any more.
    locked = Subscription.objects.select_for_update(skip_locked=skip_locked).filter(pk=subscription_id)
    if not locked.values_list("pk", flat=True):
        return None
    return Subscription.objects.select_related("customer", "plan_version__plan", "plan").get(pk=subscription_id)


def lock_invoice(invoice_id: int) -> Invoice:
    """
    Lock an invoice for the rest of the transaction and load what it belongs to (not locked).

    :raises Invoice.DoesNotExist: if there is none
    """
    locked = Invoice.objects.select_for_update(of=("self",))
    return locked.select_related("customer", "billing_entity", "subscription__plan_version__plan", "subscription__customer").get(
        pk=invoice_id
    )


def lock_series(*, billing_entity_id: int, kind: str) -> NumberSeries | None:
    """Lock a counter of numbers for the rest of the transaction: whoever finalises waits here for the one before (I6)."""
    return NumberSeries.objects.select_for_update().filter(billing_entity_id=billing_entity_id, kind=kind).first()

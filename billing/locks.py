"""
Every lock of billing, so that the order in which they are taken can be read in one place: coupon, subscription, invoice,
redeemed coupons, credits, payments, and last a counter of numbers. A credit note is locked alone, for what happens to it
afterwards.

A subscription comes before its customer (customers.locks), whom changes of what it has to itself lock; a customer before its
invoices. Its drafts are only worked out with the subscription locked, so that several of them in one transaction lock redeemed
coupons in between without harm.

Rows are locked but for their keys (NO KEY UPDATE): whoever changes a row twice, or adds one that refers to it, has its foreign
keys looked at when it commits. That must not wait for somebody who waits for what it holds itself.
"""

from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import F

from billing.models import (
    Coupon,
    CouponRedemption,
    Credit,
    CreditNote,
    Invoice,
    NumberCounter,
    NumberSeries,
    Payment,
    Subscription,
)

# Names the advisory lock of the catalogue, which has no row to lock before its first plan.
_CATALOG_KEYS: Final = (7302, 0)


def lock_catalog() -> None:
    """Let one transaction at a time compare the catalogue with what is wanted and change it; readers do not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _CATALOG_KEYS)


def lock_subscription(subscription_id: int | None, *, skip_locked: bool = False) -> Subscription | None:
    """
    Lock a subscription for the rest of the transaction and load its customer, plan and version (not locked), as
    they are once the lock is held.

    None if it is not there (a one-off invoice has none), or with `skip_locked` if somebody else holds it. Two queries.
    """
    if subscription_id is None:
        return None
    # Locked by itself: with the version joined, a row whose version was changed while we waited would not be found any more.
    locked = Subscription.objects.select_for_update(skip_locked=skip_locked, no_key=True).filter(pk=subscription_id)
    if not locked.values_list("pk", flat=True):
        return None
    return Subscription.objects.select_related("customer", "plan_version__plan", "plan").get(pk=subscription_id)


def lock_invoice(invoice_id: int) -> Invoice:
    """
    Lock an invoice for the rest of the transaction and load what it belongs to (not locked).

    :raises Invoice.DoesNotExist: if there is none
    """
    locked = Invoice.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related(
        "customer", "billing_entity__logo", "subscription__plan_version__plan", "subscription__customer", "replaces"
    ).get(pk=invoice_id)


def lock_coupon(code: str) -> Coupon | None:
    """
    Lock a coupon for the rest of the transaction: whoever redeems it waits here for the one before, so that the last one is not
    given twice. Not its key, which invoices and other redemptions refer to. None if there is none.
    """
    return Coupon.objects.select_for_update(no_key=True).filter(code=code).first()


def lock_credit_note(credit_note_id: int) -> CreditNote:
    """
    Lock a credit note for the rest of the transaction.

    :raises CreditNote.DoesNotExist: if there is none
    """
    return CreditNote.objects.select_for_update(no_key=True).get(pk=credit_note_id)


def lock_invoices(invoice_ids: Iterable[int]) -> list[Invoice]:
    """
    Lock several invoices for the rest of the transaction, always in the order of their ids, and load their customers and billing
    entities (not locked). One query; ids of none are left out.
    """
    locked = Invoice.objects.select_for_update(of=("self",), no_key=True).select_related("customer", "billing_entity")
    return list(locked.filter(pk__in=list(invoice_ids)).order_by("pk"))


def lock_redemptions(customer_id: int) -> None:
    """Lock the coupons that a customer has, so that two drafts do not both take the last use. One query."""
    mine = CouponRedemption.objects.select_for_update(no_key=True).filter(customer_id=customer_id)
    list(mine.order_by("pk").values_list("pk", flat=True))


def lock_credits(*, customer_id: int, currency: str) -> None:
    """Lock a customer's credits in a currency, so that no two documents use the same money. One query."""
    mine = Credit.objects.select_for_update(no_key=True).filter(customer_id=customer_id, currency=currency)
    list(mine.order_by("pk").values_list("pk", flat=True))


def lock_payments(*, customer_id: int, currency: str) -> list[Payment]:
    """Lock and return a customer's payments in a currency that still have something left, oldest first. One query."""
    mine = Payment.objects.select_for_update(no_key=True).filter(customer_id=customer_id, currency=currency, reversed_at=None)
    return list(mine.filter(allocated_minor__lt=F("amount_minor")).order_by("received_on", "pk"))


def lock_payment(payment_id: int) -> Payment:
    """
    Lock a payment for the rest of the transaction.

    :raises Payment.DoesNotExist: if there is none
    """
    return Payment.objects.select_for_update(no_key=True).get(pk=payment_id)


def lock_all_series() -> None:
    """Lock every number series, so that two changes of patterns do not both find the same names free. One query."""
    list(NumberSeries.objects.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def lock_counter(*, series_id: int, year: int) -> NumberCounter | None:
    """Lock a counter of numbers for the rest of the transaction: whoever finalises waits here for the one before (I6)."""
    return NumberCounter.objects.select_for_update(no_key=True).filter(series_id=series_id, year=year).first()

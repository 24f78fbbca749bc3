"""What drafts and previews would use of a customer's credits and coupons: only finalisation decides, and locks them."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime

from billing.invoicing.composing import ComposedInvoice
from billing.invoicing.surroundings import Surroundings
from billing.models import Invoice
from billing.reductions.credits import CreditTaken, spend, usable_credits


def estimate_credits(invoice: Invoice, *, at: datetime) -> tuple[Invoice, tuple[CreditTaken, ...]]:
    """
    Return a draft as it would be made final at an instant, and the credits that it would use. One query; saves nothing.

    What the draft was saved with may be out of date: another invoice may have used the credits since then. The draft given is
    left as it is.
    """
    usable = usable_credits(customer_id=invoice.customer_id, currency=invoice.currency, at=at)
    taken = spend(usable, invoice.total_minor)
    estimated = copy(invoice)
    estimated.credits_minor = sum(one.amount_minor for one in taken)
    estimated.due_minor = estimated.total_minor - estimated.credits_minor
    return estimated, taken


def after_others(surroundings: Surroundings, others: Sequence[ComposedInvoice]) -> Surroundings:
    """
    Return what is left of a customer's coupons and credits once other previews of the same customer have taken theirs.

    Several upcoming invoices would otherwise each show the last use of a coupon, and the same credit.
    """
    coupons_used = Counter(taken.coupon.redemption_id for other in others for taken in other.document.coupons)
    credits_used: Counter[int] = Counter()
    for other in others:
        for taken in other.document.credits:
            credits_used[taken.credit.credit_id] += taken.amount_minor
    return replace(
        surroundings,
        coupons=[
            coupon
            for coupon in surroundings.coupons
            if coupon.uses_left is None or coupon.uses_left > coupons_used[coupon.redemption_id]
        ],
        credits=[
            replace(credit, left_minor=credit.left_minor - credits_used[credit.credit_id]) for credit in surroundings.credits
        ],
    )

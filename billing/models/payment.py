import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """
    Money received from a customer. What it paid is in its allocations; what they leave is the customer's, for its next invoices.

    Rows never change but for `allocated_minor`, the sum of the allocations, and the reversal.
    """

    public_id = models.UUIDField(_("id"), default=uuid.uuid4, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="payments", verbose_name=_("customer")
    )
    # The invoice that it was recorded for; null where the customer's open invoices were meant, oldest first.
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, null=True, blank=True, related_name="payments", verbose_name=_("invoice")
    )
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    received_on = models.DateField(_("received on"))
    method = models.CharField(_("method"), max_length=32, default="bank_transfer")
    # What the bank calls it; the same reference is one payment, so recording it again does nothing.
    reference = models.CharField(_("reference"), max_length=140)
    recorded_at = models.DateTimeField(_("recorded at"))
    recorded_by = models.CharField(_("recorded by"), max_length=254)
    allocated_minor = models.BigIntegerField(_("allocated"), default=0)
    reversed_at = models.DateTimeField(_("reversed at"), null=True, blank=True)
    reversal_reason = models.CharField(_("reason of the reversal"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "reference"], name="payment_reference_once_per_invoice"),
            models.UniqueConstraint(
                fields=["customer", "reference"],
                condition=Q(invoice__isnull=True),
                name="payment_reference_once_per_customer",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, allocated_minor__lte=F("amount_minor")),
                name="payment_allocated_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(reversed_at__isnull=True) | Q(allocated_minor=0), name="payment_reversed_pays_nothing"
            ),
        ]
        indexes = [models.Index(fields=["customer", "-received_on"], name="payment_by_customer")]

    def __str__(self) -> str:
        return self.reference

    @property
    def left_minor(self) -> int:
        """What no invoice has taken: the customer's, until an invoice takes it. 0 for a payment that was reversed."""
        return 0 if self.reversed_at else self.amount_minor - self.allocated_minor


class PaymentAllocation(models.Model):
    """
    What a payment pays of an invoice, in minor units; negative where that is taken back by a reversal. Only added.

    An invoice's `paid_minor` is the sum of its allocations.
    """

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations", verbose_name=_("payment"))
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, related_name="allocations", verbose_name=_("invoice")
    )
    amount_minor = models.BigIntegerField(_("amount"))
    recorded_at = models.DateTimeField(_("recorded at"))
    recorded_by = models.CharField(_("recorded by"), max_length=254)

    class Meta:
        verbose_name = _("allocation of a payment")
        verbose_name_plural = _("allocations of payments")
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="payment_allocation_not_zero")]

    def __str__(self) -> str:
        return f"{self.payment} → {self.invoice}"

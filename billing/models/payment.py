from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Payment(models.Model):
    """Money received for an invoice. Rows are only added; the invoice's `paid_minor` is their sum."""

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="payments", verbose_name=_("invoice"))
    amount_minor = models.BigIntegerField(_("amount"))
    received_on = models.DateField(_("received on"))
    method = models.CharField(_("method"), max_length=32, default="bank_transfer")
    # What the bank calls it; the same reference is one payment, so recording it again does nothing.
    reference = models.CharField(_("reference"), max_length=140)
    recorded_at = models.DateTimeField(_("recorded at"))
    recorded_by = models.CharField(_("recorded by"), max_length=254)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "reference"], name="payment_reference_once_per_invoice"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.reference

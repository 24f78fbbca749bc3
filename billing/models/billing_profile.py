from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BillingProfile(models.Model):
    """
    How one customer is billed, where that differs from what its seller does; a customer without one is billed as all are.

    Who the customer is (names, address, tax id, a fixed tax rate) stands with the customer.
    """

    customer = models.OneToOneField(
        "customers.Customer", on_delete=models.PROTECT, related_name="billing_profile", verbose_name=_("customer")
    )
    billing_entity = models.ForeignKey(
        "billing.BillingEntity",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("billing entity"),
        help_text=_("Empty: the default one."),
    )
    grace_minutes = models.PositiveIntegerField(_("grace period in minutes"), null=True, blank=True)  # null: the entity's
    finalizes_by_itself = models.BooleanField(
        _("drafts are finalised by themselves"), null=True, blank=True
    )  # null: the entity's
    tax_exemption_reason = models.CharField(
        _("reason of a tax exemption"), max_length=255, blank=True, help_text=_("Empty: not exempt. Printed on invoices.")
    )
    tax_exemption_code = models.CharField(
        _("exemption code"), max_length=32, blank=True, help_text=_("VATEX code, such as VATEX-EU-132-1I; may be empty.")
    )
    buyer_reference = models.CharField(
        _("buyer reference"),
        max_length=64,
        blank=True,
        help_text=_("What public buyers route invoices by, such as a Leitweg-ID."),
    )
    reminders_paused = models.BooleanField(_("gets no reminders"), default=False)

    class Meta:
        verbose_name = _("billing profile")
        verbose_name_plural = _("billing profiles")
        constraints = [
            models.CheckConstraint(
                condition=Q(grace_minutes__isnull=True) | Q(grace_minutes__lte=60 * 24 * 60),
                name="billing_profile_grace_up_to_sixty_days",
            ),
            models.CheckConstraint(
                condition=Q(tax_exemption_code="") | ~Q(tax_exemption_reason=""), name="billing_profile_code_with_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return str(self.customer)

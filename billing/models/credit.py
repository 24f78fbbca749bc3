from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Credit(models.Model):
    """
    Money in a customer's favour that pays invoices when they are made final: prepaid, promotional, or kept of a credit note.

    What is left of it is the sum of its entries, and of nothing else. Never changed but for `voided_at`.
    """

    class Kind(models.TextChoices):
        CREDIT_NOTE = "credit_note", _("credit note")
        PROMOTIONAL = "promotional", _("promotional credit")
        PAID = "paid", _("prepaid credit")

    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="credits", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=255, help_text=_("Printed on invoices."))
    # What makes a repeated grant the same one.
    reference = models.CharField(_("reference"), max_length=140)
    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    # What the customer paid for it, in minor units; 0 for a present.
    cost_basis_minor = models.BigIntegerField(_("paid for it"), default=0)
    # Credits of credit notes come first; then the lowest number, then what expires first, then the oldest.
    priority = models.PositiveIntegerField(_("priority"), default=100)
    credit_note = models.OneToOneField(
        "billing.CreditNote",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credit",
        verbose_name=_("credit note"),
    )
    granted_at = models.DateTimeField(_("granted at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)  # exclusive; null: never
    voided_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        constraints = [
            models.UniqueConstraint(fields=["customer", "reference"], name="credit_reference_once_per_customer"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0, cost_basis_minor__gte=0), name="credit_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="credit_currency_is_a_code"),
            models.CheckConstraint(
                condition=Q(kind="credit_note", credit_note__isnull=False)
                | (~Q(kind="credit_note") & Q(credit_note__isnull=True)),
                name="credit_of_a_credit_note",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CreditEntry(models.Model):
    """
    One movement of a credit, in minor units of its currency: what comes in is positive, what goes out negative. Only added.

    The balance of a customer in a currency is the sum of its entries.
    """

    class Kind(models.TextChoices):
        GRANTED = "granted", _("granted")
        USED = "used", _("used on an invoice")
        RETURNED = "returned", _("given back by a void invoice")
        EXPIRED = "expired", _("expired")
        VOIDED = "voided", _("taken back")
        REFUNDED = "refunded", _("paid out")

    credit = models.ForeignKey(Credit, on_delete=models.PROTECT, related_name="entries", verbose_name=_("credit"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    amount_minor = models.BigIntegerField(_("amount"))
    # The invoice that used it, or whose voiding gave it back.
    invoice = models.ForeignKey(
        "billing.Invoice",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_entries",
        verbose_name=_("invoice"),
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    recorded_by = models.CharField(_("recorded by"), max_length=254)

    class Meta:
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        constraints = [
            models.UniqueConstraint(fields=["credit", "invoice", "kind"], name="credit_entry_once_per_invoice"),
            models.UniqueConstraint(fields=["credit"], condition=Q(kind="granted"), name="credit_granted_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["granted", "returned"], amount_minor__gt=0)
                | Q(kind__in=["used", "expired", "voided", "refunded"], amount_minor__lt=0),
                name="credit_entry_sign_by_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["used", "returned"], invoice__isnull=False)
                | (~Q(kind__in=["used", "returned"]) & Q(invoice__isnull=True)),
                name="credit_entry_names_its_invoice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CreditNote(models.Model):
    """
    A legal document that takes back a part of a final invoice, or all of it. It is final when it is written, and never changes.

    All amounts are positive: what is credited, in minor units of the invoice's currency.
    """

    class Reason(models.TextChoices):
        # Usage or a subscription turned out smaller than billed: counts as billed less (I3).
        CORRECTION = "correction", pgettext_lazy("credit note", "correction of what was billed")
        # A reduction that nothing metered asks for: what was billed stays billed.
        GOODWILL = "goodwill", pgettext_lazy("credit note", "goodwill")
        DUPLICATE = "duplicate", pgettext_lazy("credit note", "billed twice")
        UNSATISFACTORY = "unsatisfactory", pgettext_lazy("credit note", "service not as agreed")
        OTHER = "other", pgettext_lazy("credit note", "other")

    public_id = models.UUIDField(_("id"), default=uuid.uuid4, unique=True, editable=False)
    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, related_name="credit_notes", verbose_name=_("invoice")
    )
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="credit_notes", verbose_name=_("customer")
    )
    billing_entity = models.ForeignKey(
        "billing.BillingEntity", on_delete=models.PROTECT, related_name="credit_notes", verbose_name=_("billing entity")
    )
    number = models.CharField(_("number"), max_length=64, unique=True)
    counter = models.ForeignKey("billing.NumberCounter", on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()  # the counter's value in the number
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    explanation = models.CharField(_("explanation"), max_length=500, blank=True)  # printed
    # What makes a repeated request the same credit note.
    reference = models.CharField(_("reference"), max_length=140)
    currency = models.CharField(_("currency"), max_length=3)
    issued_on = models.DateField(_("issued on"))  # the seller's day
    issued_at = models.DateTimeField(_("issued at"))
    subtotal_minor = models.BigIntegerField(_("subtotal"))
    discount_minor = models.BigIntegerField(_("discount"), default=0)
    tax_minor = models.BigIntegerField(_("tax"))
    total_minor = models.BigIntegerField(_("total"))
    # What becomes of the total.
    to_invoice_minor = models.BigIntegerField(_("taken off the invoice"), default=0)
    to_balance_minor = models.BigIntegerField(_("kept for next invoices"), default=0)
    to_refund_minor = models.BigIntegerField(_("paid back"), default=0)
    snapshot = models.JSONField(default=dict)  # billing.invoicing.snapshot.InvoiceSnapshot
    # What happens to it afterwards.
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("paid back at"), null=True, blank=True)
    refund_reference = models.CharField(_("reference of the refund"), max_length=140, blank=True)

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        constraints = [
            models.UniqueConstraint(fields=["counter", "sequence"], name="credit_note_sequence_unique_in_counter"),
            models.UniqueConstraint(fields=["invoice", "reference"], name="credit_note_reference_once_per_invoice"),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") - F("discount_minor") + F("tax_minor"), total_minor__gt=0),
                name="credit_note_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("to_invoice_minor") + F("to_balance_minor") + F("to_refund_minor")),
                name="credit_note_is_settled",
            ),
            models.CheckConstraint(
                condition=Q(to_invoice_minor__gte=0, to_balance_minor__gte=0, to_refund_minor__gte=0),
                name="credit_note_settlement_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["customer", "-issued_on"], name="credit_note_by_customer")]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(models.Model):
    """
    What is credited of one line of the invoice, as positive amounts; never more than the line has left.

    Of a correction the quantity and the exact amount count as billed less of the line's period and charge (I3).
    """

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines", verbose_name=_("credit note"))
    position = models.PositiveIntegerField(_("position"))
    invoice_line = models.ForeignKey(
        "billing.InvoiceLine", on_delete=models.PROTECT, related_name="credit_note_lines", verbose_name=_("invoice line")
    )
    description = models.CharField(_("description"), max_length=255)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=38, decimal_places=12)
    exact_amount = models.DecimalField(_("exact amount"), max_digits=60, decimal_places=24)
    amount_minor = models.BigIntegerField(_("amount"))  # before discounts
    discount_minor = models.BigIntegerField(_("discount"), default=0)  # the discount that is taken back with it

    class Meta:
        verbose_name = _("credit note line")
        verbose_name_plural = _("credit note lines")
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "position"], name="credit_note_line_position_unique"),
            models.UniqueConstraint(fields=["credit_note", "invoice_line"], name="credit_note_line_once_per_invoice_line"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, discount_minor__gte=0, discount_minor__lte=F("amount_minor")),
                name="credit_note_line_amounts_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def net_minor(self) -> int:
        """What is credited of the line, before tax."""
        return self.amount_minor - self.discount_minor


class CreditNoteTax(models.Model):
    """The tax of one category and rate that is taken back; all credit notes of an invoice together take back what it says."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="taxes", verbose_name=_("credit note"))
    rate_pct = models.DecimalField(_("rate in percent"), max_digits=7, decimal_places=4)
    category = models.CharField(_("tax category"), max_length=2, default="S")
    label = models.CharField(_("tax"), max_length=32, blank=True)
    exemption_code = models.CharField(_("exemption code"), max_length=32, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    base_minor = models.BigIntegerField(_("base"))
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("tax of a credit note")
        verbose_name_plural = _("taxes of credit notes")
        constraints = [
            models.UniqueConstraint(
                fields=["credit_note", "category", "rate_pct"], name="credit_note_tax_once_per_category_and_rate"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="credit_note_tax_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.rate_pct} %"

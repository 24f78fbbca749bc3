import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Invoice(models.Model):
    """
    A draft, or a legal document that never changes again (I5).

    From finalisation on a trigger lets only `status`, `sent_at`, `paid_minor`, `voided_at` and `void_reason` move;
    everything that is printed is kept in `snapshot` and in the lines. Amounts are minor units of `currency`.
    Overdue is no state: it follows from `due_on` and `paid_minor`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        FINALIZED = "finalized", _("open")
        PAID = "paid", _("paid")
        VOID = "void", _("void")
        UNCOLLECTIBLE = "uncollectible", _("uncollectible")

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")

    public_id = models.UUIDField(_("id"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.INVOICE)
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="invoices", verbose_name=_("customer")
    )
    billing_entity = models.ForeignKey(
        "billing.BillingEntity", on_delete=models.PROTECT, related_name="invoices", verbose_name=_("billing entity")
    )
    subscription = models.ForeignKey(
        "billing.Subscription", on_delete=models.PROTECT, related_name="invoices", verbose_name=_("subscription")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(_("number"), max_length=32, null=True, blank=True, unique=True)
    sequence = models.PositiveBigIntegerField(null=True, blank=True)  # the counter's value in the number
    series = models.ForeignKey("billing.NumberSeries", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    currency = models.CharField(_("currency"), max_length=3)
    # The boundary between two periods that made it due; invoices of a run are numbered in this order.
    boundary_at = models.DateTimeField(_("due to be billed at"))
    first_day = models.DateField(_("service from"))  # inclusive, the customer's time zone
    last_day = models.DateField(_("service to"))  # inclusive
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"))
    subtotal_minor = models.BigIntegerField(_("subtotal"))
    discount_minor = models.BigIntegerField(_("discount"), default=0)
    tax_minor = models.BigIntegerField(_("tax"))
    total_minor = models.BigIntegerField(_("total"))
    credits_minor = models.BigIntegerField(_("credits"), default=0)
    due_minor = models.BigIntegerField(_("amount due"))
    snapshot = models.JSONField(default=dict)  # billing.invoicing.snapshot.InvoiceSnapshot
    drafted_at = models.DateTimeField(_("drafted at"))
    finalized_at = models.DateTimeField(_("finalised at"), null=True, blank=True)
    # What happens to it afterwards.
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    paid_minor = models.BigIntegerField(_("paid"), default=0)
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    void_reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            models.UniqueConstraint(fields=["series", "sequence"], name="invoice_sequence_unique_in_series"),
            models.UniqueConstraint(
                fields=["subscription", "boundary_at"],
                condition=~Q(status="void"),
                name="invoice_one_live_per_boundary",
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("subtotal_minor") - F("discount_minor") + F("tax_minor")), name="invoice_total_adds_up"
            ),
            models.CheckConstraint(condition=Q(due_minor=F("total_minor") - F("credits_minor")), name="invoice_due_adds_up"),
            models.CheckConstraint(
                condition=Q(due_minor__gte=0, credits_minor__gte=0, discount_minor__gte=0, paid_minor__gte=0),
                name="invoice_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="draft", number__isnull=True, sequence__isnull=True, series__isnull=True, finalized_at__isnull=True
                )
                | (
                    ~Q(status="draft")
                    & Q(number__isnull=False, sequence__isnull=False, series__isnull=False, finalized_at__isnull=False)
                ),
                name="invoice_numbered_when_final",
            ),
            models.CheckConstraint(condition=Q(status="void") ^ Q(voided_at__isnull=True), name="invoice_voided_at_with_status"),
        ]
        indexes = [
            models.Index(fields=["customer", "-issued_on"], name="invoice_by_customer"),
            models.Index(fields=["boundary_at"], condition=Q(status="draft"), name="invoice_drafts"),
            models.Index(fields=["due_on"], condition=Q(status="finalized"), name="invoice_open_by_due_date"),
        ]

    def __str__(self) -> str:
        return self.number or str(_("draft"))


class InvoiceLine(models.Model):
    """
    One line. Its amount is its exact amount rounded once; an adjustment carries the difference to what was billed.

    `billing_period` is the period that the line belongs to, which for an adjustment is an earlier one than the invoice's.
    """

    class Group(models.TextChoices):
        SUBSCRIPTION = "subscription", _("subscription")
        USAGE = "usage", _("usage")
        ADJUSTMENT = "adjustment", _("adjustment")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", verbose_name=_("invoice"))
    position = models.PositiveIntegerField(_("position"))
    group = models.CharField(_("group"), max_length=16, choices=Group.choices)
    billing_period = models.ForeignKey(
        "billing.BillingPeriod", on_delete=models.PROTECT, related_name="lines", verbose_name=_("billing period")
    )
    charge = models.ForeignKey(
        "billing.Charge", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("charge")
    )  # null: commitment
    charge_code = models.CharField(_("charge"), max_length=200)  # with the add-on's before it, where it is of one
    description = models.CharField(_("description"), max_length=255)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    meter_code = models.CharField(_("meter"), max_length=64, blank=True)
    unit = models.CharField(_("unit"), max_length=32, blank=True)
    first_day = models.DateField(_("from"))  # inclusive
    last_day = models.DateField(_("to"))  # inclusive
    quantity = models.DecimalField(_("quantity"), max_digits=38, decimal_places=12)
    unit_amount = models.DecimalField(_("unit price"), max_digits=38, decimal_places=12, null=True, blank=True)
    exact_amount = models.DecimalField(_("exact amount"), max_digits=60, decimal_places=24)  # major units, unrounded
    amount_minor = models.BigIntegerField(_("amount"))
    tax_rate_pct = models.DecimalField(_("tax rate in percent"), max_digits=7, decimal_places=4)
    breakdown = models.JSONField(default=list)  # billing.pricing.breakdown rows as text

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position_unique"),
            models.CheckConstraint(
                condition=Q(quantity__gt=-(10**18), quantity__lt=10**18, exact_amount__gt=-(10**18), exact_amount__lt=10**18),
                name="invoice_line_finite",
            ),
        ]
        indexes = [models.Index(fields=["billing_period", "charge_code"], name="invoice_line_by_period")]

    def __str__(self) -> str:
        return self.description


class InvoiceTax(models.Model):
    """The tax of one rate, on the rounded and discounted subtotal of its lines (ADR 0003)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes", verbose_name=_("invoice"))
    rate_pct = models.DecimalField(_("rate in percent"), max_digits=7, decimal_places=4)
    base_minor = models.BigIntegerField(_("base"))
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("tax")
        verbose_name_plural = _("taxes")
        constraints = [models.UniqueConstraint(fields=["invoice", "rate_pct"], name="invoice_tax_once_per_rate")]

    def __str__(self) -> str:
        return f"{self.rate_pct} %"

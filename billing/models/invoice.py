import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Invoice(models.Model):
    """
    A draft, or a legal document that never changes again (I5).

    From finalisation on a trigger lets only what happens to it afterwards move, and `status` only along MOVES (in
    billing.invoicing.moves); everything that is printed is kept in `snapshot` and in the lines. Amounts are minor units of
    `currency`. An invoice of a subscription has its boundary; a one-off invoice has neither. Overdue is no state: it follows
    from `due_on` and what is left to pay.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        FINALIZED = "finalized", _("open")
        PAID = "paid", _("paid")
        VOID = "void", _("void")
        UNCOLLECTIBLE = "uncollectible", _("uncollectible")

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        ONE_OFF = "one_off", _("one-off invoice")

    public_id = models.UUIDField(_("id"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.INVOICE)
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="invoices", verbose_name=_("customer")
    )
    billing_entity = models.ForeignKey(
        "billing.BillingEntity", on_delete=models.PROTECT, related_name="invoices", verbose_name=_("billing entity")
    )
    # Null on a one-off invoice.
    subscription = models.ForeignKey(
        "billing.Subscription",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="invoices",
        verbose_name=_("subscription"),
    )
    # The void invoice that this one bills anew.
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(_("number"), max_length=64, null=True, blank=True, unique=True)
    sequence = models.PositiveBigIntegerField(null=True, blank=True)  # the counter's value in the number
    counter = models.ForeignKey("billing.NumberCounter", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    currency = models.CharField(_("currency"), max_length=3)
    # The boundary between two periods that made it due; invoices of a run are numbered in this order.
    # Null on a one-off invoice.
    boundary_at = models.DateTimeField(_("due to be billed at"), null=True, blank=True)
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
    paid_minor = models.BigIntegerField(_("paid"), default=0)  # the sum of its allocations
    credited_minor = models.BigIntegerField(_("credited"), default=0)  # by credit notes, of what was left to pay
    voided_at = models.DateTimeField(_("voided at"), null=True, blank=True)
    void_reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            models.UniqueConstraint(fields=["counter", "sequence"], name="invoice_sequence_unique_in_counter"),
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
                condition=Q(
                    due_minor__gte=0, credits_minor__gte=0, discount_minor__gte=0, paid_minor__gte=0, credited_minor__gte=0
                ),
                name="invoice_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(paid_minor__lte=F("due_minor") - F("credited_minor")), name="invoice_settled_up_to_what_is_due"
            ),
            models.CheckConstraint(
                condition=Q(kind="one_off", subscription__isnull=True, boundary_at__isnull=True)
                | Q(kind="invoice", subscription__isnull=False, boundary_at__isnull=False),
                name="invoice_of_a_subscription_or_one_off",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="draft", number__isnull=True, sequence__isnull=True, counter__isnull=True, finalized_at__isnull=True
                )
                | (
                    ~Q(status="draft")
                    & Q(number__isnull=False, sequence__isnull=False, counter__isnull=False, finalized_at__isnull=False)
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

    @property
    def left_minor(self) -> int:
        """What is left to pay: due, less what came in and what credit notes took off. Not asked of drafts and void ones."""
        return self.due_minor - self.paid_minor - self.credited_minor


class InvoiceLine(models.Model):
    """
    One line. Its amount is its exact amount rounded once; an adjustment carries the difference to what was billed.

    `billing_period` is the period that the line belongs to, which for an adjustment is an earlier one than the invoice's.
    """

    class Group(models.TextChoices):
        SUBSCRIPTION = "subscription", _("subscription")
        USAGE = "usage", _("usage")
        ADJUSTMENT = "adjustment", _("adjustment")
        ITEM = "item", _("one-off item")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", verbose_name=_("invoice"))
    position = models.PositiveIntegerField(_("position"))
    group = models.CharField(_("group"), max_length=16, choices=Group.choices)
    # Null on a one-off item.
    billing_period = models.ForeignKey(
        "billing.BillingPeriod", on_delete=models.PROTECT, null=True, related_name="lines", verbose_name=_("billing period")
    )
    charge = models.ForeignKey(
        "billing.Charge", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("charge")
    )  # null: commitment, one-off item
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
    discount_minor = models.BigIntegerField(_("discount"), default=0)  # its share of the invoice's discounts
    tax_rate_pct = models.DecimalField(_("tax rate in percent"), max_digits=7, decimal_places=4)
    tax_category = models.CharField(_("tax category"), max_length=2, default="S")  # UNCL 5305, as EN 16931 has it
    # What the line sells, by which the rate was found (billing.tax); kept so that a draft of items can be worked out anew.
    tax_class = models.CharField(_("tax class"), max_length=32, default="standard")
    unit_code = models.CharField(_("unit code"), max_length=3, default="C62")  # UN/ECE recommendation 20
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
            models.CheckConstraint(
                condition=Q(group="item", billing_period__isnull=True) | (~Q(group="item") & Q(billing_period__isnull=False)),
                name="invoice_line_of_a_period_or_item",
            ),
        ]
        indexes = [models.Index(fields=["billing_period", "charge_code"], name="invoice_line_by_period")]

    def __str__(self) -> str:
        return self.description

    @property
    def net_minor(self) -> int:
        """What is left of the line after discounts, before tax."""
        return self.amount_minor - self.discount_minor


class InvoiceDiscount(models.Model):
    """What one coupon takes off an invoice, in the order in which they are taken (ADR 0005)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="discounts", verbose_name=_("invoice"))
    position = models.PositiveIntegerField(_("position"))
    redemption = models.ForeignKey(
        "billing.CouponRedemption", on_delete=models.PROTECT, related_name="discounts", verbose_name=_("coupon")
    )
    label = models.CharField(_("label"), max_length=255)
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4, null=True, blank=True)  # null: an amount
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_discount_position_unique"),
            models.UniqueConstraint(fields=["invoice", "redemption"], name="invoice_discount_once_per_coupon"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="invoice_discount_positive"),
        ]

    def __str__(self) -> str:
        return self.label


class InvoiceTax(models.Model):
    """The tax of one category and rate, on the rounded and discounted subtotal of its lines (ADR 0003)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="taxes", verbose_name=_("invoice"))
    rate_pct = models.DecimalField(_("rate in percent"), max_digits=7, decimal_places=4)
    category = models.CharField(_("tax category"), max_length=2, default="S")  # UNCL 5305
    label = models.CharField(_("tax"), max_length=32, blank=True)  # the word for it in the customer's language
    exemption_code = models.CharField(_("exemption code"), max_length=32, blank=True)  # VATEX
    note = models.CharField(_("note"), max_length=500, blank=True)  # what the law wants printed
    base_minor = models.BigIntegerField(_("base"))
    amount_minor = models.BigIntegerField(_("amount"))

    class Meta:
        verbose_name = _("tax")
        verbose_name_plural = _("taxes")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "category", "rate_pct"], name="invoice_tax_once_per_category_and_rate")
        ]

    def __str__(self) -> str:
        return f"{self.rate_pct} %"

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BillingEntity(models.Model):
    """A legal seller: what invoices print as their sender, and whose number series they take."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=255)
    legal_name = models.CharField(_("legal name"), max_length=255)
    address_line1 = models.CharField(_("address"), max_length=255, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=255, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=32, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    region = models.CharField(_("state or region"), max_length=128, blank=True)
    tax_id = models.CharField(_("tax id"), max_length=64, blank=True)
    registration = models.CharField(
        _("company register"), max_length=255, blank=True, help_text=_("Register and number, as printed on invoices.")
    )
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, help_text=_("Where customers answer to."))
    bank_name = models.CharField(_("bank"), max_length=128, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    # Invoices are dated by the seller's day, so that dates follow numbers whatever zones the customers live in.
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    brand_color = models.CharField(_("colour"), max_length=7, default="#3346a8")
    logo = models.ForeignKey(
        "billing.BrandAsset", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("logo")
    )
    invoice_footer = models.CharField(_("invoice footer"), max_length=500, blank=True)
    # {number}, {amount} (major units) and {currency} are filled in; empty: invoices have no link to pay by.
    payment_url_template = models.CharField(_("payment link"), max_length=500, blank=True)
    # How long a draft waits for late usage before it is made final by itself; null: SQUILL_BILLING_GRACE_MINUTES.
    grace_minutes = models.PositiveIntegerField(_("grace period in minutes"), null=True, blank=True)
    finalizes_by_itself = models.BooleanField(
        _("drafts are finalised by themselves"), default=True, help_text=_("If not, a person finalises each draft.")
    )
    # Days after the due date (before it where negative) on which an open invoice is reminded of; in rising order.
    reminder_days = models.JSONField(_("reminder days"), default=list, blank=True)
    sends_receipts = models.BooleanField(_("receipts are sent for payments"), default=False)
    # The entity that bills where nothing else says so; exactly one.
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("billing entity")
        verbose_name_plural = _("billing entities")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="billing_entity_one_default"),
            models.CheckConstraint(condition=Q(brand_color__regex=r"^#[0-9a-fA-F]{6}$"), name="billing_entity_color_is_hex"),
            models.CheckConstraint(
                condition=Q(grace_minutes__isnull=True) | Q(grace_minutes__lte=60 * 24 * 60),
                name="billing_entity_grace_up_to_sixty_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BrandAsset(models.Model):
    """A picture that documents print, under the hash of its bytes: an old document finds the logo that it had. Never changed."""

    class MediaType(models.TextChoices):
        SVG = "image/svg+xml", "SVG"
        PNG = "image/png", "PNG"

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)  # lower-case hex
    media_type = models.CharField(_("media type"), max_length=32, choices=MediaType.choices)
    content = models.BinaryField()  # at most 256 KiB
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return f"{self.media_type} {self.sha256[:12]}"


class NumberSeries(models.Model):
    """
    How the documents of one kind of a seller are numbered, such as `ACME-{year}-{number:06}`.

    The numbers themselves come from its counters (I6). `{year}` is that of the day of issue; a series that starts anew each
    year must have it in its pattern.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    billing_entity = models.ForeignKey(
        BillingEntity, on_delete=models.PROTECT, related_name="number_series", verbose_name=_("billing entity")
    )
    kind = models.CharField(_("document"), max_length=16, choices=Kind.choices, default=Kind.INVOICE)
    pattern = models.CharField(
        _("pattern"),
        max_length=48,
        help_text=_("Such as ACME-{year}-{number:06}: the number with at least six digits; {year} may be left out."),
    )
    resets_yearly = models.BooleanField(_("starts at 1 each year"), default=False)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "kind"], name="number_series_once_per_kind"),
            models.UniqueConstraint(fields=["pattern"], name="number_series_pattern_unique"),
            models.CheckConstraint(
                condition=Q(pattern__regex=r"^[^{}]*(\{year\}[^{}]*)?\{number(:0[1-9])?\}[^{}]*$"),
                name="number_series_pattern_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(resets_yearly=False) | Q(pattern__contains="{year}"), name="number_series_year_where_it_resets"
            ),
        ]

    def __str__(self) -> str:
        return self.pattern


class NumberCounter(models.Model):
    """
    The numbers given in a series, or in one year of it (I6): locked, raised and used in the transaction that finalises.

    `last_number` is the number given last; 0 before the first. `year` is 0 in a series that does not start anew.
    """

    series = models.ForeignKey(NumberSeries, on_delete=models.PROTECT, related_name="counters", verbose_name=_("series"))
    year = models.PositiveIntegerField(_("year"), default=0)
    last_number = models.PositiveBigIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("number counter")
        verbose_name_plural = _("number counters")
        constraints = [models.UniqueConstraint(fields=["series", "year"], name="number_counter_once_per_year")]

    def __str__(self) -> str:
        return f"{self.series} {self.year or ''}".strip()

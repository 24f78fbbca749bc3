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
    tax_id = models.CharField(_("tax id"), max_length=64, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True, help_text=_("Where customers answer to."))
    bank_name = models.CharField(_("bank"), max_length=128, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    # Invoices are dated by the seller's day, so that dates follow numbers whatever zones the customers live in.
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    brand_color = models.CharField(_("colour"), max_length=7, default="#3346a8")
    invoice_footer = models.CharField(_("invoice footer"), max_length=500, blank=True)
    # The entity that bills where nothing else says so; exactly one.
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("billing entity")
        verbose_name_plural = _("billing entities")
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="billing_entity_one_default"),
            models.CheckConstraint(condition=Q(brand_color__regex=r"^#[0-9a-fA-F]{6}$"), name="billing_entity_color_is_hex"),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """
    A counter of document numbers (I6): the row is locked, raised and used in the transaction that finalises.

    `last_number` is the number given last; 0 before the first.
    """

    billing_entity = models.ForeignKey(
        BillingEntity, on_delete=models.PROTECT, related_name="number_series", verbose_name=_("billing entity")
    )
    kind = models.CharField(_("document"), max_length=16, default="invoice")
    prefix = models.CharField(_("prefix"), max_length=16)
    last_number = models.PositiveBigIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("number series")
        verbose_name_plural = _("number series")
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "kind"], name="number_series_once_per_kind"),
            models.UniqueConstraint(fields=["prefix"], name="number_series_prefix_unique"),
        ]

    def __str__(self) -> str:
        return self.prefix

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Customer(models.Model):
    """
    A company or person that is billed.

    The currency and the time zone decide what stored periods, rollups and invoices mean; they are fixed once there is
    a subscription or usage (customers.services refuses the change).
    """

    external_id = models.CharField(_("external id"), max_length=255, unique=True, help_text=_("How your own systems name it."))
    name = models.CharField(_("name"), max_length=255)
    legal_name = models.CharField(
        _("legal name"), max_length=255, blank=True, help_text=_("Printed on invoices; the name if empty.")
    )
    email = models.EmailField(_("e-mail for invoices"), max_length=254, blank=True)
    address_line1 = models.CharField(_("address"), max_length=255, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=255, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=32, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    region = models.CharField(_("state or region"), max_length=128, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("Two letters, ISO 3166."))
    tax_id = models.CharField(_("tax id"), max_length=64, blank=True)
    # Percent on every line, in place of what the tax rules say; null: the rules decide by country and what is sold.
    tax_rate_pct = models.DecimalField(
        _("fixed tax rate in percent"),
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("Empty: the tax rules decide."),
    )
    purchase_order = models.CharField(_("purchase order"), max_length=64, blank=True, help_text=_("Printed as “your reference”."))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("language of documents"), max_length=16, default="en")
    payment_terms_days = models.PositiveIntegerField(_("payment terms in days"), default=30)
    created_at = models.DateTimeField(_("created at"))
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="customer_external_id_not_empty"),
            models.CheckConstraint(
                condition=Q(tax_rate_pct__isnull=True) | Q(tax_rate_pct__gte=0, tax_rate_pct__lte=100),
                name="customer_tax_rate_0_to_100",
            ),
            models.CheckConstraint(condition=Q(payment_terms_days__lte=365), name="customer_payment_terms_up_to_a_year"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="customer_currency_is_a_code"),
            models.CheckConstraint(condition=Q(country__regex=r"^([A-Z]{2})?$"), name="customer_country_is_a_code"),
        ]

    def __str__(self) -> str:
        return self.name


class Subject(models.Model):
    """A key by which events name a customer. The customer's external id is always one of its keys."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subjects", verbose_name=_("customer"))
    key = models.CharField(_("key in events"), max_length=255, unique=True)

    class Meta:
        verbose_name = _("subject")
        verbose_name_plural = _("subjects")
        constraints = [models.CheckConstraint(condition=~Q(key=""), name="subject_key_not_empty")]

    def __str__(self) -> str:
        return self.key

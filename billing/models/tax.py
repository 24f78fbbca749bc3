from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class TaxRate(models.Model):
    """
    A rate of tax that somebody entered, for a country or a region of it, a tax class and a span of days.

    It wins over the rates that Squill knows (billing.tax.rates). Half-open: `valid_until` is the first day without it.
    """

    country = models.CharField(_("country"), max_length=2, help_text=_("Two letters, ISO 3166."))
    region = models.CharField(_("state or region"), max_length=128, blank=True, help_text=_("Empty: the whole country."))
    tax_class = models.CharField(_("tax class"), max_length=32, default="standard", help_text=_("What is sold."))
    rate_pct = models.DecimalField(_("rate in percent"), max_digits=7, decimal_places=4)
    label = models.CharField(_("word on documents"), max_length=32, blank=True, help_text=_("Empty: the country's own word."))
    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True, blank=True)  # exclusive

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        constraints = [
            models.UniqueConstraint(fields=["country", "region", "tax_class", "valid_from"], name="tax_rate_once_from_a_day"),
            models.CheckConstraint(condition=Q(rate_pct__gte=0, rate_pct__lte=100), name="tax_rate_0_to_100"),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="tax_rate_country_is_a_code"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")), name="tax_rate_until_after_from"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.region} {self.tax_class} {self.rate_pct} %".replace("  ", " ")


class TaxRegistration(models.Model):
    """
    Where a seller is registered for tax besides its own country, and since when: without a registration it charges none there.

    `is_one_stop_shop` is the EU's scheme for consumers in other member states, by which the rates of all of them apply.
    """

    billing_entity = models.ForeignKey(
        "billing.BillingEntity", on_delete=models.PROTECT, related_name="tax_registrations", verbose_name=_("billing entity")
    )
    country = models.CharField(_("country"), max_length=2)
    region = models.CharField(_("state or region"), max_length=128, blank=True)
    tax_id = models.CharField(_("tax id"), max_length=64, blank=True)
    is_one_stop_shop = models.BooleanField(_("EU one-stop shop"), default=False)
    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True, blank=True)  # exclusive

    class Meta:
        verbose_name = _("tax registration")
        verbose_name_plural = _("tax registrations")
        constraints = [
            models.UniqueConstraint(
                fields=["billing_entity", "country", "region", "valid_from"], name="tax_registration_once_from_a_day"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="tax_registration_country_is_a_code"),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="tax_registration_until_after_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.region} {self.tax_id}".strip()

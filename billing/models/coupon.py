from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Coupon(models.Model):
    """
    A reduction that customers can be given: a percentage, or an amount in one currency, off the lines it applies to.

    What it takes off, and for how many invoices, is fixed once a customer has it (billing.reductions refuses the change).
    """

    class Duration(models.TextChoices):
        ONCE = "once", _("once")
        PERIODS = "periods", _("a number of invoices")
        FOREVER = "forever", _("for ever")

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=255, help_text=_("Printed on invoices."))
    percent = models.DecimalField(_("percent"), max_digits=7, decimal_places=4, null=True, blank=True)
    amount_minor = models.BigIntegerField(_("amount"), null=True, blank=True)  # minor units of `currency`, on each invoice
    currency = models.CharField(_("currency"), max_length=3, blank=True)  # of the amount; empty with a percentage
    duration = models.CharField(_("lasts"), max_length=16, choices=Duration.choices, default=Duration.ONCE)
    period_count = models.PositiveIntegerField(_("number of invoices"), null=True, blank=True)
    # Codes; empty lists: every plan, every charge.
    plan_codes = models.JSONField(_("plans"), default=list, blank=True)
    charge_codes = models.JSONField(_("charges"), default=list, blank=True)
    max_redemptions = models.PositiveIntegerField(_("at most so many customers"), null=True, blank=True)
    redeem_until = models.DateTimeField(_("can be redeemed until"), null=True, blank=True)  # exclusive
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100, amount_minor__isnull=True, currency="")
                | Q(percent__isnull=True, amount_minor__gt=0, currency__regex=r"^[A-Z]{3}$"),
                name="coupon_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(duration="periods", period_count__gt=0) | (~Q(duration="periods") & Q(period_count__isnull=True)),
                name="coupon_counts_periods_when_it_lasts_them",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponRedemption(models.Model):
    """
    A coupon that a customer has, for all its subscriptions or for one. Used up when its invoices are (void ones do not count).
    """

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="redemptions", verbose_name=_("coupon"))
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="coupon_redemptions", verbose_name=_("customer")
    )
    # Null: every subscription of the customer, and one-off invoices.
    subscription = models.ForeignKey(
        "billing.Subscription",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="coupon_redemptions",
        verbose_name=_("subscription"),
    )
    redeemed_at = models.DateTimeField(_("redeemed at"))  # invoices of boundaries from here on
    ended_at = models.DateTimeField(_("taken away at"), null=True, blank=True)  # no draft is reduced from here on

    class Meta:
        verbose_name = _("redeemed coupon")
        verbose_name_plural = _("redeemed coupons")
        constraints = [
            models.UniqueConstraint(
                fields=["coupon", "customer"], condition=Q(ended_at__isnull=True), name="coupon_once_per_customer"
            )
        ]

    def __str__(self) -> str:
        return f"{self.coupon} → {self.customer}"

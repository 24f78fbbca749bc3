from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _


class TsTzRange(Func):
    """tstzrange(start, end, '[)'): the half-open span that the exclusion constraints compare."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Subscription(models.Model):
    """
    A customer on a plan, from the first local day (inclusive) to the last (exclusive, null = open).

    `starts_at` and `ends_at` are the local midnights of these days in the customer's time zone, stored once.
    """

    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("customer")
    )
    plan = models.ForeignKey("billing.Plan", on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("plan"))
    plan_version = models.ForeignKey(
        "billing.PlanVersion", on_delete=models.PROTECT, related_name="subscriptions", verbose_name=_("plan version")
    )
    external_id = models.CharField(_("external id"), max_length=255, unique=True)
    started_on = models.DateField(_("first day"))
    ended_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("The first day that is no longer part of it."))
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="subscription_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True, ended_on__isnull=True) | Q(ends_at__isnull=False, ended_on__isnull=False),
                name="subscription_end_both_or_none",
            ),
            ExclusionConstraint(
                name="subscription_plan_once_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("plan", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.plan}"


class SubscriptionMeter(models.Model):
    """
    A meter that a subscription prices, while it lasts: usage is priced by one subscription at a time.

    The exclusion constraint is what makes it impossible that the same usage is billed by two plans.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="metered", verbose_name=_("subscription")
    )
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="+", verbose_name=_("customer"))
    meter = models.ForeignKey("usage.Meter", on_delete=models.PROTECT, related_name="+", verbose_name=_("meter"))
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)

    class Meta:
        verbose_name = _("metered by subscription")
        verbose_name_plural = _("metered by subscription")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "meter"], name="subscription_meter_once"),
            ExclusionConstraint(
                name="meter_priced_once_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("meter", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} · {self.meter}"


class BillingPeriod(models.Model):
    """
    One stored period of a subscription, half-open, in the terms that price it (I4).

    A period is billed in two parts: what is paid in advance at its start, and the rest (usage, fees in arrears, the
    commitment's true-up) at its end. Each part has at most one live invoice because there is one place to write it:
    `…_billed_at` is the `as_of` of the run that billed the part, `…_invoice` is null where there was nothing to
    write an invoice about. Voiding an invoice empties both, and the part is due again.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="periods", verbose_name=_("subscription")
    )
    plan_version = models.ForeignKey(
        "billing.PlanVersion", on_delete=models.PROTECT, related_name="+", verbose_name=_("plan version")
    )
    index = models.PositiveIntegerField(_("period"))  # 0 is the first
    first_day = models.DateField(_("first day"))  # inclusive, the customer's time zone
    end_day = models.DateField(_("end day"))  # exclusive
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    bills_in_advance = models.BooleanField(default=False)  # the version has charges that are billed in advance
    advance_billed_at = models.DateTimeField(null=True, blank=True)
    advance_invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, null=True, blank=True, related_name="advance_periods"
    )
    arrears_billed_at = models.DateTimeField(null=True, blank=True)
    arrears_invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, null=True, blank=True, related_name="arrears_periods"
    )
    # Trouble of this period alone (I11): counted, kept, and parked after SQUILL_BILLING_MAX_ATTEMPTS.
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    parked_at = models.DateTimeField(_("parked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("billing period")
        verbose_name_plural = _("billing periods")
        constraints = [
            models.UniqueConstraint(fields=["subscription", "index"], name="billing_period_index_unique"),
            models.UniqueConstraint(fields=["subscription", "starts_at"], name="billing_period_start_unique"),
            ExclusionConstraint(
                name="billing_period_no_overlap",
                expressions=[
                    ("subscription", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), end_day__gt=F("first_day")), name="billing_period_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(advance_billed_at__isnull=False) | Q(advance_invoice__isnull=True),
                name="billing_period_advance_invoice_when_billed",
            ),
            models.CheckConstraint(
                condition=Q(arrears_billed_at__isnull=False) | Q(arrears_invoice__isnull=True),
                name="billing_period_arrears_invoice_when_billed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                condition=Q(advance_billed_at__isnull=True, bills_in_advance=True),
                name="billing_period_advance_due",
            ),
            models.Index(fields=["ends_at"], condition=Q(arrears_billed_at__isnull=True), name="billing_period_arrears_due"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.first_day}"

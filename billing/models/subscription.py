from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _


class TsTzRange(Func):
    """tstzrange(start, end, '[)'): the half-open span that the exclusion constraints compare."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class DayRange(Func):
    """daterange(first, end, '[)'): the half-open span of local days that claims compare."""

    function = "DATERANGE"
    output_field = DateRangeField()


class Subscription(models.Model):
    """
    A customer on a plan, from the first local day (inclusive) to the last (exclusive, null = open).

    What it is on at any day follows from its changes (billing.subscriptions.timeline); `plan_version` is the terms of the
    newest period that is made. `starts_at` and `ends_at` are the local midnights of the days, stored once.
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
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.plan}"


class SubscriptionChange(models.Model):
    """
    One thing that was decided about a subscription, from a local day on. The first is its start.

    Append-only but for being undone, which is possible while its day lies ahead. Columns that a kind does not name are empty.
    """

    class Kind(models.TextChoices):
        START = "start", _("start")  # plan_version; trial_ends_on where it begins with a trial
        PLAN = "plan", _("change of plan")  # plan_version
        QUANTITY = "quantity", _("change of quantity")  # charge_code, quantity
        ADD_ON = "add_on", _("add-on")  # add_on_code, plan_version (of the add-on), quantity; 0 takes it off
        PAUSE = "pause", _("pause")
        RESUME = "resume", _("resumption")
        END = "end", _("end")

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="changes", verbose_name=_("subscription")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    effective_on = models.DateField(_("from"))  # the first local day that it holds for
    plan_version = models.ForeignKey(
        "billing.PlanVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("plan version")
    )
    charge_code = models.CharField(_("charge"), max_length=64, blank=True)
    add_on_code = models.CharField(_("add-on"), max_length=100, blank=True)  # unique in the subscription
    quantity = models.DecimalField(_("quantity"), max_digits=30, decimal_places=12, null=True, blank=True)
    trial_ends_on = models.DateField(_("trial ends on"), null=True, blank=True)  # exclusive
    actor_kind = models.CharField(_("kind of actor"), max_length=16)
    actor_label = models.CharField(_("actor"), max_length=254)
    recorded_at = models.DateTimeField(_("recorded at"))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of a subscription")
        verbose_name_plural = _("changes of subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["subscription"], condition=Q(kind="start"), name="subscription_starts_once"),
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(kind="end", undone_at=None), name="subscription_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["start", "plan", "add_on"]) ^ Q(plan_version=None), name="subscription_change_names_version"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["quantity", "add_on"]) ^ Q(quantity=None), name="subscription_change_names_quantity"
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gte=0, quantity__lt=10**15), name="subscription_change_quantity_finite"
            ),
            models.CheckConstraint(condition=Q(kind="quantity") ^ Q(charge_code=""), name="subscription_change_names_charge"),
            models.CheckConstraint(condition=Q(kind="add_on") ^ Q(add_on_code=""), name="subscription_change_names_add_on"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.effective_on}"


class SubscriptionClaim(models.Model):
    """
    What a subscription has to itself for a span: its plan, or a meter that it prices.

    The exclusion constraints are what makes it impossible that a customer pays for one plan twice, or that the same usage is
    billed by two plans (ADR 0012).
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="claims", verbose_name=_("subscription")
    )
    customer = models.ForeignKey("customers.Customer", on_delete=models.PROTECT, related_name="+", verbose_name=_("customer"))
    plan = models.ForeignKey(
        "billing.Plan", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("plan")
    )  # exactly one of plan and meter
    meter = models.ForeignKey("usage.Meter", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("meter"))
    first_day = models.DateField(_("first day"))  # inclusive, the customer's time zone
    end_day = models.DateField(_("end day"), null=True, blank=True)  # exclusive, null = open

    class Meta:
        verbose_name = _("claim of a subscription")
        verbose_name_plural = _("claims of subscriptions")
        constraints = [
            models.CheckConstraint(condition=Q(plan=None) ^ Q(meter=None), name="claim_on_plan_or_meter"),
            models.CheckConstraint(condition=Q(end_day=None) | Q(end_day__gt=F("first_day")), name="claim_not_empty"),
            ExclusionConstraint(
                name="subscription_plan_once_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("plan", RangeOperators.EQUAL),
                    (DayRange("first_day", "end_day", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            ExclusionConstraint(
                name="meter_priced_once_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("meter", RangeOperators.EQUAL),
                    (DayRange("first_day", "end_day", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} · {self.plan or self.meter}"


class BillingPeriod(models.Model):
    """
    One stored period of a subscription, half-open, in the terms that price it (I4).

    `whole_first_day` and `whole_end_day` are the period of the plan's cadence that it is a part of, or all of: fees are
    prorated by its days. A change of the subscription that comes before its end cuts it short; a period that a change takes
    away although a void invoice speaks of it stays as a row, and is superseded.

    A period is billed in two parts: what is paid in advance at its start, and the rest (usage, fees in arrears, the
    commitment's true-up) at its end. Each part has at most one live invoice because there is one place to write it:
    `…_billed_at` is the `as_of` of the run that billed the part, `…_invoice` is null where there was nothing to
    write an invoice about. Voiding an invoice empties both, and the part is due again.
    """

    class Kind(models.TextChoices):
        REGULAR = "regular", _("regular")
        TRIAL = "trial", _("trial")  # nothing is charged but add-ons that are due once
        PAUSED = "paused", _("paused")  # nothing is charged; usage is reported as unpriced

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="periods", verbose_name=_("subscription")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.REGULAR)
    plan_version = models.ForeignKey(
        "billing.PlanVersion", on_delete=models.PROTECT, related_name="+", verbose_name=_("plan version")
    )
    index = models.PositiveIntegerField(_("period"))  # 0 is the first
    first_day = models.DateField(_("first day"))  # inclusive, the customer's time zone
    end_day = models.DateField(_("end day"))  # exclusive
    whole_first_day = models.DateField(_("first day of the whole period"))  # inclusive
    whole_end_day = models.DateField(_("end day of the whole period"))  # exclusive
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
    superseded_at = models.DateTimeField(_("superseded at"), null=True, blank=True)

    class Meta:
        verbose_name = _("billing period")
        verbose_name_plural = _("billing periods")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "index"], condition=Q(superseded_at=None), name="billing_period_index_unique"
            ),
            models.UniqueConstraint(
                fields=["subscription", "starts_at"], condition=Q(superseded_at=None), name="billing_period_start_unique"
            ),
            ExclusionConstraint(
                name="billing_period_no_overlap",
                expressions=[
                    ("subscription", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(superseded_at=None),
            ),
            models.CheckConstraint(
                condition=Q(whole_first_day__lte=F("first_day"), whole_end_day__gte=F("end_day")),
                name="billing_period_within_whole",
            ),
            models.CheckConstraint(
                condition=Q(superseded_at=None) | Q(advance_billed_at=None, arrears_billed_at=None),
                name="billing_period_superseded_unbilled",
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
                condition=Q(advance_billed_at__isnull=True, bills_in_advance=True, superseded_at=None),
                name="billing_period_advance_due",
            ),
            models.Index(
                fields=["ends_at"],
                condition=Q(arrears_billed_at__isnull=True, superseded_at=None),
                name="billing_period_arrears_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.first_day}"

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class Plan(models.Model):
    """
    Something that is sold under one code; what it costs is in its versions, for each currency apart.

    An add-on is sold on top of a subscription to a plan, once or in each of its periods.
    """

    class Kind(models.TextChoices):
        PLAN = "plan", _("plan")
        ADD_ON = "add_on", _("add-on")

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.PLAN)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """
    What a plan costs in one currency from one publication to the next. Once published it never changes (I8); a trigger keeps it.

    A version with a `customer` is that customer's own: only they can have it, and it is theirs instead of the public one.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        ARCHIVED = "archived", _("archived")  # priced for whoever has it, not sold any more

    class Interval(models.TextChoices):
        WEEKLY = "weekly", _("weekly")
        MONTHLY = "monthly", _("monthly")
        QUARTERLY = "quarterly", _("quarterly")
        YEARLY = "yearly", _("yearly")
        ONCE = "once", _("once")  # add-ons only

    class Anchor(models.TextChoices):
        CALENDAR = "calendar", _("calendar")  # periods begin with the week, month, quarter or year
        ANNIVERSARY = "anniversary", _("anniversary")  # periods begin on the day that the subscription began

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions", verbose_name=_("plan"))
    version = models.PositiveIntegerField(_("version"))  # 1, 2, 3 … by plan
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.DRAFT)
    currency = models.CharField(_("currency"), max_length=3)
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="own_versions",
        verbose_name=_("only for"),
    )
    derived_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("derived from")
    )
    interval = models.CharField(_("interval"), max_length=16, choices=Interval.choices, default=Interval.MONTHLY)
    interval_count = models.PositiveSmallIntegerField(_("number of intervals"), default=1)  # 2 months, say
    anchor = models.CharField(_("anchor"), max_length=16, choices=Anchor.choices, default=Anchor.CALENDAR)
    billing_day = models.PositiveSmallIntegerField(_("billing day"), default=1)  # of the month; calendar only
    trial_days = models.PositiveSmallIntegerField(_("days of trial"), default=0)
    # Major units a full period, trued up at its end; null = none.
    minimum_commitment = models.DecimalField(_("minimum commitment"), max_digits=30, decimal_places=12, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="plan_version_number_unique"),
            models.UniqueConstraint(
                fields=["plan", "currency", "customer"],
                condition=Q(status="draft"),
                nulls_distinct=False,
                name="plan_version_one_draft",
            ),
            models.UniqueConstraint(
                fields=["plan", "currency", "customer"],
                condition=Q(status="published"),
                nulls_distinct=False,
                name="plan_version_one_published",
            ),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="plan_version_currency_is_a_code"),
            models.CheckConstraint(
                condition=Q(interval_count__gte=1, interval_count__lte=100, billing_day__gte=1, billing_day__lte=31),
                name="plan_version_cadence_in_bounds",
            ),
            models.CheckConstraint(
                condition=Q(status="draft") ^ Q(published_at__isnull=False), name="plan_version_published_at_with_status"
            ),
            models.CheckConstraint(
                condition=Q(minimum_commitment__isnull=True) | Q(minimum_commitment__gt=0, minimum_commitment__lt=10**15),
                name="plan_version_commitment_finite",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.version}"

    @property
    def cadence_words(self) -> str:
        """How often it is billed, for people: "monthly", "every 2 months"."""
        count = self.interval_count
        words = {
            self.Interval.WEEKLY: ngettext("weekly", "every %(count)d weeks", count),
            self.Interval.MONTHLY: ngettext("monthly", "every %(count)d months", count),
            self.Interval.QUARTERLY: ngettext("quarterly", "every %(count)d quarters", count),
            self.Interval.YEARLY: ngettext("yearly", "every %(count)d years", count),
        }
        said = words.get(self.Interval(self.interval), self.get_interval_display())
        return said % {"count": count} if count > 1 else said


class Charge(models.Model):
    """
    A price on a meter, a flat fee, or a fee by quantity (seats), within a plan version.

    `terms` holds the members of design section 8 (model, tiers, …) as canonical decimal strings; billing.pricing.charge
    is the only reader and writer of their meaning.
    """

    class Billed(models.TextChoices):
        IN_ADVANCE = "in_advance", _("in advance")
        IN_ARREARS = "in_arrears", _("in arrears")

    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, related_name="charges", verbose_name=_("plan version")
    )
    position = models.PositiveIntegerField(_("position"))
    code = models.CharField(_("code"), max_length=64)
    name = models.CharField(_("name"), max_length=255)
    # Null for a fixed fee.
    meter = models.ForeignKey(
        "usage.Meter", on_delete=models.PROTECT, null=True, blank=True, related_name="charges", verbose_name=_("meter")
    )
    # {"region": "eu"}: usage whose dimensions have these values; {} takes what no other charge on the meter takes.
    filter = models.JSONField(_("filter"), default=dict, blank=True)
    terms = models.JSONField(_("terms"))
    billed = models.CharField(_("billed"), max_length=16, choices=Billed.choices, default=Billed.IN_ARREARS)
    # A fee by quantity (seats): how many a subscription has unless it says otherwise. Null: a flat fee, or usage.
    default_quantity = models.DecimalField(_("default quantity"), max_digits=30, decimal_places=12, null=True, blank=True)
    # What is sold, by which the tax rate is found (billing.tax); and a rate that is taken in its place, in percent.
    tax_class = models.CharField(_("tax class"), max_length=32, default="standard")
    tax_rate_pct = models.DecimalField(_("tax rate in percent"), max_digits=7, decimal_places=4, null=True, blank=True)

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "code"], name="charge_code_unique_in_version"),
            models.CheckConstraint(
                condition=Q(meter__isnull=True) | Q(billed="in_arrears"), name="charge_usage_billed_in_arrears"
            ),
            models.CheckConstraint(
                condition=Q(default_quantity__isnull=True)
                | Q(meter__isnull=True, default_quantity__gte=0, default_quantity__lt=10**15),
                name="charge_quantity_finite_and_without_meter",
            ),
            models.CheckConstraint(
                condition=Q(tax_rate_pct__isnull=True) | Q(tax_rate_pct__gte=0, tax_rate_pct__lte=100),
                name="charge_tax_rate_0_to_100",
            ),
        ]

    def __str__(self) -> str:
        return self.name

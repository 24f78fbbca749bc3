from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Plan(models.Model):
    """An offer under one code and in one currency; what it costs is in its versions."""

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=255)
    currency = models.CharField(_("currency"), max_length=3)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="plan_currency_is_a_code")]

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """
    What a plan costs from one publication to the next. Once published it never changes (I8); a trigger keeps it.
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

    class Anchor(models.TextChoices):
        CALENDAR = "calendar", _("calendar")  # periods begin with the week, month, quarter or year
        ANNIVERSARY = "anniversary", _("anniversary")  # periods begin on the day that the subscription began

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions", verbose_name=_("plan"))
    version = models.PositiveIntegerField(_("version"))  # 1, 2, 3 … by plan
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.DRAFT)
    interval = models.CharField(_("interval"), max_length=16, choices=Interval.choices, default=Interval.MONTHLY)
    anchor = models.CharField(_("anchor"), max_length=16, choices=Anchor.choices, default=Anchor.CALENDAR)
    # Major units a full period, trued up at its end; null = none.
    minimum_commitment = models.DecimalField(_("minimum commitment"), max_digits=30, decimal_places=12, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    class Meta:
        verbose_name = _("plan version")
        verbose_name_plural = _("plan versions")
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="plan_version_number_unique"),
            models.UniqueConstraint(fields=["plan"], condition=Q(status="draft"), name="plan_version_one_draft"),
            models.UniqueConstraint(fields=["plan"], condition=Q(status="published"), name="plan_version_one_published"),
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


class Charge(models.Model):
    """
    A price on a meter, or a fixed fee, within a plan version.

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

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "code"], name="charge_code_unique_in_version"),
            models.CheckConstraint(
                condition=Q(meter__isnull=True) | Q(billed="in_arrears"), name="charge_usage_billed_in_arrears"
            ),
        ]

    def __str__(self) -> str:
        return self.name

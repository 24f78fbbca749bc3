from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Meter(models.Model):
    """
    What is counted, and how: events of one type that pass the filters, aggregated over a day and over a period.

    A meter's meaning (type, filters, aggregation, value, dimensions) is fixed once it has counted something; a database
    trigger keeps it. Another meter may then succeed it. Name and unit are for people and may change.
    """

    class Aggregation(models.TextChoices):
        COUNT = "count", _("count of events")
        SUM = "sum", _("sum of values")
        MIN = "min", _("smallest value")
        MAX = "max", _("largest value")
        LATEST = "latest", _("latest value")
        UNIQUE_COUNT = "unique_count", _("count of different values")
        AVERAGE = "average", _("average of values")
        WEIGHTED_SUM = "weighted_sum", _("running total, averaged over time")

    code = models.CharField(_("code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=255)
    event_type = models.CharField(_("event type"), max_length=255, db_index=True)
    aggregation = models.CharField(_("aggregation"), max_length=16, choices=Aggregation.choices)
    # The member of `data` that holds the value, dots lead into objects; empty for count.
    value_path = models.CharField(_("value"), max_length=255, blank=True)
    # Members of `data` that a charge may filter on, in this order.
    dimensions = ArrayField(models.CharField(max_length=64), verbose_name=_("dimensions"), default=list, blank=True)
    # What `data` must hold for an event to count: {"status": {"in": ["200", "204"]}}; usage.rollups.filters reads it.
    filters = models.JSONField(_("filters"), default=dict, blank=True)
    unit = models.CharField(_("unit"), max_length=32, blank=True, help_text=_("Printed on invoices, such as GB or requests."))
    # The meter whose place this one takes in new plan versions; that one goes on counting for the plans that price it.
    predecessor = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="successor", verbose_name=_("succeeds")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("meter")
        verbose_name_plural = _("meters")
        constraints = [
            models.CheckConstraint(
                condition=Q(aggregation="count", value_path="") | (~Q(aggregation="count") & ~Q(value_path="")),
                name="meter_value_unless_count",
            ),
            models.CheckConstraint(condition=~Q(code="") & ~Q(event_type=""), name="meter_code_and_type_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name

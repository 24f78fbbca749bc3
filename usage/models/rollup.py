from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


def _value(name: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(name, max_digits=50, decimal_places=12, null=True)


class Rollup(models.Model):
    """
    The usage of one customer, meter and set of dimension values on one day of the customer's own time zone (I2).

    Moved in the transaction that stores an event. Made by SQL with the primary key (customer, meter, day, dimensions_key);
    `dimensions_key` is BLAKE2b-128 of the values in the meter's order, and of the item. Each aggregation keeps what it
    needs, and null in the other columns: a count only `event_count`, a sum and an average `value_sum`, min and max their
    extreme, latest the three of its event, a weighted sum `value_sum` and `value_weight`, a unique count one row an item.
    """

    pk = models.CompositePrimaryKey("customer_id", "meter_id", "day", "dimensions_key")
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("customer")
    )
    meter = models.ForeignKey(
        "usage.Meter", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("meter")
    )
    day = models.DateField(_("day"))
    dimensions_key = models.UUIDField()
    dimensions = models.JSONField(_("dimensions"))  # {"region": "eu"}; a missing member is null
    event_count = models.BigIntegerField(_("events"))
    value_sum = _value(_("sum"))
    value_min = _value(_("smallest"))
    value_max = _value(_("largest"))
    # Sum of value times the microseconds from the event to the end of its day.
    value_weight = _value(_("weight"))
    value_latest = _value(_("latest"))
    latest_at = models.DateTimeField(_("time of the latest"), null=True)
    # The name of that event (usage.encoding.identity): of two at one time, the one that sorts last, by code points, is the later.
    latest_event = models.TextField(null=True)  # noqa: DJ001
    item = models.TextField(_("item"), null=True)  # noqa: DJ001 (null: not a unique count)

    class Meta:
        managed = False
        db_table = "usage_rollup"
        verbose_name = _("daily usage")
        verbose_name_plural = _("daily usage")

    def __str__(self) -> str:
        return f"{self.day} {self.dimensions}"

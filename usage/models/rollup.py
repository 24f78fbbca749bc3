from django.db import models
from django.utils.translation import gettext_lazy as _


class Rollup(models.Model):
    """
    The usage of one customer, meter and set of dimension values on one day of the customer's own time zone (I2).

    Moved in the same statement that stores an event. Made by SQL with the primary key
    (customer, meter, day, dimensions_key); `dimensions_key` is BLAKE2b-128 of the values in the meter's order.
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
    value_sum = models.DecimalField(_("sum"), max_digits=38, decimal_places=12)
    value_max = models.DecimalField(_("largest"), max_digits=38, decimal_places=12)

    class Meta:
        managed = False
        db_table = "usage_rollup"
        verbose_name = _("daily usage")
        verbose_name_plural = _("daily usage")

    def __str__(self) -> str:
        return f"{self.day} {self.dimensions}"

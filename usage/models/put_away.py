from datetime import UTC, date, datetime, time, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PutAwayMonth(models.Model):
    """
    A UTC month whose events lie in a table of their own, outside usage_event, and may be gone altogether.

    What they add up to stays: by customer, meter, day and dimension values in usage_putawayrollup, which is made by SQL and
    never changes. A month is put away once. An event that comes for it later is stored and counted like any other, and stays.
    """

    month = models.DateField(_("month"), primary_key=True)  # its first day
    put_away_at = models.DateTimeField(_("put away at"))
    # Every meter that had counted something of the month by then; what is made later never sees these events.
    meter_ids = ArrayField(models.BigIntegerField())
    # Null for as long as usage_putawayrollup lacks the month: the table must not be dropped before.
    counted_at = models.DateTimeField(_("counted at"), null=True)
    event_count = models.BigIntegerField(_("events"), null=True)  # all events of the table, corrected ones too

    class Meta:
        verbose_name = _("month put away")
        verbose_name_plural = _("months put away")
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="put_away_month_begins_on_the_first"),
            models.CheckConstraint(
                condition=Q(counted_at=None, event_count=None) | Q(counted_at__isnull=False, event_count__isnull=False),
                name="put_away_month_counted_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def start(self) -> datetime:
        """The first instant of the month."""
        return datetime.combine(self.month, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return datetime.combine((self.month + timedelta(days=31)).replace(day=1), time(), UTC)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last local day, in any time zone, that reach into the month."""
        return self.month - timedelta(days=1), self.end.date()

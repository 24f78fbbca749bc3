from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

# For readers of `usage_event e`. An expression of the index usage_event_by_customer (customer, UTC day of the event).
UTC_DAY: Final = "(e.occurred_at AT TIME ZONE 'UTC')::date"
# Whether the event counts, or was corrected. By the index correction_by_customer.
STILL_COUNTS: Final = """NOT EXISTS (
  SELECT FROM usage_correction v WHERE v.customer_id = e.customer_id AND v.occurred_at = e.occurred_at
  AND v.event_id = e.event_id AND v.source = e.source)"""


class EventKey(models.Model):
    """
    The identity of every event that was ever acknowledged (I1), across all partitions and the quarantine.

    `key` is BLAKE2b-128 of (source, id); `content` the first 64 bits of BLAKE2b-128 of all else that the client sent, so
    that a retry can be told from a conflict without the event. Made by SQL; never deleted.
    """

    key = models.UUIDField(primary_key=True)
    content = models.BigIntegerField()
    # Where the event lies: its customer and UTC day. Null while it is in quarantine, then written once.
    customer_id = models.IntegerField(null=True)
    day = models.DateField(null=True)

    class Meta:
        managed = False
        db_table = "usage_eventkey"

    def __str__(self) -> str:
        return str(self.key)


class Event(models.Model):
    """
    One event that counts for a customer, as it was received. Never edited (a trigger refuses it).

    The table is partitioned by month of `occurred_at`; the identity is kept by EventKey. Django wants one column for a
    primary key; the id alone is none (the source belongs to it), so rows are never fetched or compared by it.
    """

    event_id = models.TextField(_("id"), primary_key=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", verbose_name=_("customer")
    )
    # Null: the customer's external id, which never changes.
    subject = models.TextField(_("subject"), null=True)  # noqa: DJ001
    event_type = models.TextField(_("type"))
    source = models.TextField(_("source"))
    data = models.TextField(_("data"))  # canonical JSON, exact

    class Meta:
        managed = False
        db_table = "usage_event"
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class QuarantinedEvent(models.Model):
    """A valid event that nobody can be billed for yet: kept whole, replayed once its reason is gone."""

    class Reason(models.TextChoices):
        UNKNOWN_SUBJECT = "unknown_subject", _("unknown subject")
        UNKNOWN_TYPE = "unknown_type", _("no meter for this type")
        UNUSABLE_VALUE = "unusable_value", _("unusable value")
        CONFLICT = "conflict", _("same id, other content")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        REPLAYED = "replayed", _("replayed")
        DISCARDED = "discarded", _("discarded")

    key = models.UUIDField()
    content = models.UUIDField()
    occurred_at = models.DateTimeField(_("occurred at"))
    received_at = models.DateTimeField(_("received at"))
    subject = models.TextField(_("subject"))
    event_type = models.TextField(_("type"))
    source = models.TextField(_("source"))
    event_id = models.TextField(_("id"))
    data = models.JSONField(_("data"))
    reason = models.CharField(_("reason"), max_length=32, choices=Reason.choices)
    detail = models.TextField(_("detail"), blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.WAITING)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    # Why a person put it aside; empty unless discarded. The default is the database's, since rows are made by SQL.
    discard_reason = models.CharField(_("discarded because"), max_length=500, blank=True, db_default="")

    class Meta:
        verbose_name = _("quarantined event")
        verbose_name_plural = _("quarantine")
        constraints = [models.UniqueConstraint(fields=["key", "content"], name="quarantine_once_per_content")]
        indexes = [models.Index(fields=["reason", "id"], condition=models.Q(status="waiting"), name="quarantine_waiting")]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"

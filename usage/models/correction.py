from django.db import models
from django.utils.translation import gettext_lazy as _


class Correction(models.Model):
    """
    Takes one event out of every count, for good; with a replacement, another event counts in its place.

    The event itself stays as it was received, and its key stays claimed. Rows are only ever added; a trigger refuses the
    rest. One event is corrected once (unique), whatever is asked how often and by how many at once.
    """

    event_key = models.UUIDField(unique=True, editable=False)  # usage_event.key
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("customer"),
    )
    # Copied from the event, so that a correction says by itself what it corrects.
    source = models.TextField(_("source"))
    event_id = models.TextField(_("id"))
    event_type = models.TextField(_("type"))
    subject = models.TextField(_("subject"))
    occurred_at = models.DateTimeField(_("occurred at"))
    # The event that counts instead; null where the event is only voided.
    replacement_key = models.UUIDField(null=True, unique=True, editable=False)
    replacement_source = models.TextField(_("source of the replacement"), blank=True)
    replacement_id = models.TextField(_("id of the replacement"), blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    actor_kind = models.CharField(_("kind of actor"), max_length=16)  # squill.lib.actor.Actor.kind
    actor_label = models.CharField(_("actor"), max_length=254)
    corrected_at = models.DateTimeField(_("corrected at"))
    # The token of the bulk void that it belongs to; empty for one that was asked for by itself.
    batch = models.CharField(_("bulk void"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="correction_has_a_reason"),
            models.CheckConstraint(
                condition=models.Q(replacement_key=None, replacement_source="", replacement_id="")
                | (models.Q(replacement_key__isnull=False) & ~models.Q(replacement_source="") & ~models.Q(replacement_id="")),
                name="correction_replacement_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(replacement_key=None) | ~models.Q(replacement_key=models.F("event_key")),
                name="correction_not_by_itself",
            ),
        ]
        indexes = [models.Index(fields=["customer", "occurred_at"], name="correction_by_customer")]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"

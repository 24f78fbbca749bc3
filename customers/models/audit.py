from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """
    One change of state: who, when, before, after (I9). Rows are only ever added; a trigger refuses the rest.

    It lies in the lowest app so that every app can write its own changes here.
    """

    at = models.DateTimeField(_("at"))
    actor_kind = models.CharField(_("kind of actor"), max_length=16)  # squill.lib.actor.Actor.kind
    actor_label = models.CharField(_("actor"), max_length=254)
    action = models.CharField(_("action"), max_length=64)  # such as invoice.finalized
    object_type = models.CharField(_("object type"), max_length=64)
    object_id = models.CharField(_("object"), max_length=255)  # the name that people use: external id, code, number
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("customer")
    )
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["object_type", "object_id", "at"], name="audit_by_object"),
            models.Index(fields=["customer", "at"], name="audit_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.object_id}"

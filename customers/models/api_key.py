from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a key may do. Reading and writing are apart, and events have a scope of their own."""

    EVENTS_WRITE = "events:write", _("send events")
    EVENTS_BACKFILL = "events:backfill", _("send events of long ago, too")
    READ = "read", _("read everything")
    WRITE = "write", _("change customers, meters, plans and subscriptions")


class ApiKey(models.Model):
    """
    A secret of one of the company's systems. Only its SHA-256 is kept: a copy of the database opens nothing.

    `customer` narrows a key to one customer's data; empty means all.
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("The system that uses it."))
    prefix = models.CharField(_("prefix"), max_length=24, unique=True, help_text=_("The public part, seen in logs and lists."))
    secret_hash = models.CharField(max_length=64, editable=False)  # hex SHA-256 of the whole key
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices), verbose_name=_("scopes"))
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("only for customer"),
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)  # at most one write a minute

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

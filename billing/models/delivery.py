from django.db import models
from django.utils.translation import gettext_lazy as _


class InvoiceDocument(models.Model):
    """The one PDF of a finalised invoice (I10): where it lies, and the SHA-256 of its bytes. Never changed."""

    invoice = models.OneToOneField(
        "billing.Invoice", on_delete=models.PROTECT, related_name="document", verbose_name=_("invoice")
    )
    storage_key = models.CharField(_("storage key"), max_length=255, unique=True)
    sha256 = models.CharField("SHA-256", max_length=64)  # lower-case hex
    size_bytes = models.PositiveIntegerField(_("size in bytes"))
    renderer = models.CharField(_("rendered by"), max_length=64)
    rendered_at = models.DateTimeField(_("rendered at"))

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")

    def __str__(self) -> str:
        return self.storage_key


class Delivery(models.Model):
    """A notice to one recipient about one invoice: once each (I10), retried until the provider takes it."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")  # handed to the provider, answer not seen yet
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")  # given up after the last attempt; a person must look

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("invoice"))
    kind = models.CharField(_("notice"), max_length=16, choices=Kind.choices, default=Kind.INVOICE)
    recipient = models.EmailField(_("recipient"), max_length=254)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    message_id = models.CharField(_("message id"), max_length=255, blank=True)
    queued_at = models.DateTimeField(_("queued at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["invoice", "kind", "recipient"], name="delivery_once_per_recipient")]

    def __str__(self) -> str:
        return f"{self.invoice} → {self.recipient}"

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Document(models.Model):
    """The one PDF of a final invoice, credit note or receipt (I10): where it lies, and the hash of its bytes. Never changed."""

    invoice = models.OneToOneField(
        "billing.Invoice", on_delete=models.PROTECT, null=True, blank=True, related_name="document", verbose_name=_("invoice")
    )
    credit_note = models.OneToOneField(
        "billing.CreditNote",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="document",
        verbose_name=_("credit note"),
    )
    # The payment that a receipt confirms.
    payment = models.OneToOneField(
        "billing.Payment", on_delete=models.PROTECT, null=True, blank=True, related_name="receipt", verbose_name=_("payment")
    )
    storage_key = models.CharField(_("storage key"), max_length=255, unique=True)
    sha256 = models.CharField("SHA-256", max_length=64)  # lower-case hex
    size_bytes = models.PositiveIntegerField(_("size in bytes"))
    renderer = models.CharField(_("rendered by"), max_length=64)
    rendered_at = models.DateTimeField(_("rendered at"))

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, credit_note__isnull=True, payment__isnull=True)
                | Q(invoice__isnull=True, credit_note__isnull=False, payment__isnull=True)
                | Q(invoice__isnull=True, credit_note__isnull=True, payment__isnull=False),
                name="document_of_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.storage_key


class Delivery(models.Model):
    """
    A notice to one recipient about an invoice, a credit note or a payment: once each (I10), retried until the provider takes it.

    `occasion` tells notices of one kind about one thing apart: the day of a reminder, relative to the due date.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")  # handed to the provider, answer not seen yet
        SENT = "sent", _("sent")
        HELD = "held", _("held")  # the provider's answer was lost: a person looks whether it went out
        FAILED = "failed", _("failed")  # given up after the last attempt; a person must look
        CANCELLED = "cancelled", _("cancelled")  # no longer called for: voided, paid before the reminder

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")
        RECEIPT = "receipt", _("receipt")
        REMINDER = "reminder", _("reminder")

    invoice = models.ForeignKey(
        "billing.Invoice", on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries", verbose_name=_("invoice")
    )
    credit_note = models.ForeignKey(
        "billing.CreditNote",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="deliveries",
        verbose_name=_("credit note"),
    )
    payment = models.ForeignKey(
        "billing.Payment", on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries", verbose_name=_("payment")
    )
    kind = models.CharField(_("notice"), max_length=16, choices=Kind.choices, default=Kind.INVOICE)
    occasion = models.CharField(_("occasion"), max_length=16, blank=True)  # reminders: +7, -3
    recipient = models.EmailField(_("recipient"), max_length=254)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    message_id = models.CharField(_("message id"), max_length=255, blank=True)
    queued_at = models.DateTimeField(_("queued at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    # What the provider reported afterwards.
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    bounced_at = models.DateTimeField(_("bounced at"), null=True, blank=True)
    complained_at = models.DateTimeField(_("complained about at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "credit_note", "payment", "kind", "occasion", "recipient"],
                nulls_distinct=False,
                name="delivery_once_per_recipient",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["invoice", "reminder"], invoice__isnull=False, credit_note__isnull=True, payment__isnull=True
                )
                | Q(kind="credit_note", invoice__isnull=True, credit_note__isnull=False, payment__isnull=True)
                | Q(kind="receipt", invoice__isnull=True, credit_note__isnull=True, payment__isnull=False),
                name="delivery_about_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["message_id"], name="delivery_by_message_id")]

    def __str__(self) -> str:
        return f"{self.invoice or self.credit_note or self.payment} → {self.recipient}"


class SuppressedAddress(models.Model):
    """An address that mail came back from, or that complained: nothing more is sent to it until a person lifts that."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("mail came back")
        COMPLAINT = "complaint", _("complaint")

    address = models.CharField(_("address"), max_length=254)  # lower case
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    detail = models.CharField(_("what the provider said"), max_length=500, blank=True)
    suppressed_at = models.DateTimeField(_("since"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(lifted_at__isnull=True), name="suppressed_address_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.address


class MailReport(models.Model):
    """What the provider reported of a mail, once per notification: a bounce, a complaint, a delivery. Only added."""

    notification_id = models.CharField(_("notification"), max_length=255, unique=True)  # of SNS, which may send one twice
    kind = models.CharField(_("kind"), max_length=32)
    message_id = models.CharField(_("message id"), max_length=255)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="reports", verbose_name=_("delivery")
    )
    detail = models.JSONField(_("what the provider said"), default=dict)
    received_at = models.DateTimeField(_("received at"))

    class Meta:
        verbose_name = _("mail report")
        verbose_name_plural = _("mail reports")

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"

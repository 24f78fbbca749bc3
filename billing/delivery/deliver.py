"""Send each notice once: the state is written before and after the call, so that only a lost answer can double a mail."""

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import F

from billing.delivery.documents import ensure_document
from billing.delivery.mails import invoice_mail
from billing.models import Delivery, Invoice
from squill.lib.failpoints import passing

logger = logging.getLogger(__name__)


class DeliveryIncomplete(Exception):
    """Some notices of the invoice could not be sent; the job is to try again later."""


def deliver_invoice(*, invoice_id: int, now: datetime) -> None:
    """
    Make the PDF and send every notice of the invoice that has not gone out. Idempotent.

    :raises DeliveryIncomplete: if a notice failed and has attempts left
    """
    document = ensure_document(invoice_id=invoice_id, now=now)
    if Invoice.objects.filter(pk=invoice_id, status=Invoice.Status.VOID).exists():
        return
    unsent = Delivery.objects.filter(invoice_id=invoice_id, status__in=[Delivery.Status.QUEUED, Delivery.Status.SENDING])
    failures: list[str] = []
    for delivery in unsent.select_related("invoice").order_by("pk"):
        Delivery.objects.filter(pk=delivery.pk).update(status=Delivery.Status.SENDING, attempts=F("attempts") + 1)
        try:
            message = invoice_mail(delivery, document)
            passing("mail-before-send")
            message.send()
        except Exception as error:
            logger.exception("mail of invoice %s to one recipient failed", delivery.invoice.number)
            failures += _note_failure(delivery, error)
        else:
            _note_success(delivery, message.extra_headers, now)
    if failures:
        raise DeliveryIncomplete("; ".join(failures))


def _note_failure(delivery: Delivery, error: Exception) -> list[str]:
    given_up = delivery.attempts + 1 >= settings.SQUILL_JOB_MAX_ATTEMPTS
    status = Delivery.Status.FAILED if given_up else Delivery.Status.QUEUED
    text = f"{type(error).__name__}: {error}"[:2000]
    Delivery.objects.filter(pk=delivery.pk).update(status=status, last_error=text)
    return [] if given_up else [text]


def _note_success(delivery: Delivery, headers: dict[str, str], now: datetime) -> None:
    # django-ses leaves the provider's id in the headers; bounces are matched by it.
    provider_id = headers.get("message_id") or headers["Message-ID"]
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Delivery.Status.SENT, sent_at=now, message_id=provider_id, last_error=""
    )
    Invoice.objects.filter(pk=delivery.invoice_id, sent_at=None).exclude(status=Invoice.Status.VOID).update(sent_at=now)

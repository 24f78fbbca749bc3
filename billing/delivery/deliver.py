"""
Send each notice once: its state is written before and after the call to the provider.

A mail that certainly did not go out is tried again, later each time, until it is given up as failed. A mail whose answer was
lost may have gone out: it is held for a person, and never sent again by itself (ADR 0026).
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.delivery.documents import document_of, ensure_document
from billing.delivery.feedback import note_earlier_reports
from billing.delivery.mails import notice_mail
from billing.delivery.suppression import suppression_of, why_suppressed
from billing.invoicing.dispatch import About
from billing.models import BillingProfile, CreditNote, Delivery, Document, Invoice, Payment
from squill.aws import metrics
from squill.lib.failpoints import passing

logger = logging.getLogger(__name__)
_S = Delivery.Status


class DeliveryIncomplete(Exception):
    """Some notices could not be sent; the job is to try again later."""


def deliver(about: About, *, now: datetime) -> None:
    """
    Make the PDF of a final document and send every notice about it that has not gone out. Idempotent; one at a time for each.

    :raises DeliveryIncomplete: if a notice was not sent and has attempts left
    """
    _hold_unanswered(about)
    if isinstance(about, Payment) and about.reversed_at is not None and document_of(about) is None:
        _notices(about).filter(status=_S.QUEUED).update(status=_S.CANCELLED, last_error=_("the payment was reversed"))
        return
    document = _document(about, now)
    failures: list[str] = []
    for delivery in _notices(about).filter(status=_S.QUEUED).order_by("pk"):
        failures += _send(delivery, document, now)
    if failures:
        raise DeliveryIncomplete("; ".join(failures))


def _notices(about: About) -> QuerySet[Delivery]:
    queryset = Delivery.objects.select_related(
        "invoice__billing_entity", "invoice__customer", "credit_note", "payment__customer", "payment__invoice__billing_entity"
    )
    if isinstance(about, Invoice):
        return queryset.filter(invoice=about)
    return queryset.filter(credit_note=about) if isinstance(about, CreditNote) else queryset.filter(payment=about)


def _hold_unanswered(about: About) -> None:
    """Whoever was sending these is not there any more: this job is the only one about this thing."""
    lost = _("the process ended before the provider's answer was noted: look whether it arrived")
    _notices(about).filter(status=_S.SENDING).update(status=_S.HELD, last_error=lost)


def _document(about: About, now: datetime) -> Document:
    try:
        return ensure_document(about, now=now)
    except Exception as error:
        # Counts as an attempt of every notice that waits for it, so that a store that never comes back is seen by a person.
        for delivery in _notices(about).filter(status=_S.QUEUED):
            _note_attempt(delivery, error)
        raise


def _send(delivery: Delivery, document: Document, now: datetime) -> list[str]:
    """Send one notice, and return what is to be told of a failure that is tried again."""
    obstacle = _not_called_for(delivery)
    if obstacle:
        _queued(delivery).update(status=_S.CANCELLED, last_error=obstacle)
        return []
    suppressed = suppression_of(delivery.recipient)
    if suppressed is not None:
        metrics.count("DeliveriesFailed", _queued(delivery).update(status=_S.FAILED, last_error=why_suppressed(suppressed)))
        return []
    try:
        message = notice_mail(delivery, document, now=now)
    except Exception as error:
        logger.exception("the mail of %s cannot be written", delivery)
        return _note_attempt(delivery, error)
    if not _queued(delivery).update(status=_S.SENDING, attempts=F("attempts") + 1):
        return []  # somebody else has it, or it was taken back
    passing("mail-before-send")
    try:
        message.send()
    except Exception as error:
        logger.exception("the mail of %s failed", delivery)
        return _note_failure(delivery, error)
    passing("mail-after-send")
    # django-ses leaves the provider's id in the headers; reports are matched by it.
    provider_id = message.extra_headers.get("message_id") or message.extra_headers["Message-ID"]
    _note_success(delivery, provider_id, now)
    return []


def _queued(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, status=_S.QUEUED)


def _not_called_for(delivery: Delivery) -> str:
    """Say why a notice is not to be sent any more, by what is true now; empty if it is."""
    if delivery.payment is not None:
        reversed_at = Payment.objects.values_list("reversed_at", flat=True).get(pk=delivery.payment.pk)
        return _("the payment was reversed") if reversed_at else ""
    if delivery.invoice is None:
        return ""
    invoice = delivery.invoice
    invoice.refresh_from_db(fields=["status", "paid_minor", "credited_minor"])
    if invoice.status == Invoice.Status.VOID:
        return _("the invoice was voided before it was sent")
    if delivery.kind != Delivery.Kind.REMINDER:
        return ""
    if invoice.status != Invoice.Status.FINALIZED or not invoice.left_minor:
        return _("nothing was left to pay when the reminder was to go out")
    if BillingProfile.objects.filter(customer=invoice.customer_id, reminders_paused=True).exists():
        return _("the customer gets no reminders")
    return ""


def _note_attempt(delivery: Delivery, error: Exception) -> list[str]:
    """Count an attempt that did not come to the call."""
    given_up = delivery.attempts + 1 >= settings.SQUILL_JOB_MAX_ATTEMPTS
    text = _words(error)
    noted = _queued(delivery).update(status=_S.FAILED if given_up else _S.QUEUED, attempts=F("attempts") + 1, last_error=text)
    metrics.count("DeliveriesFailed", noted if given_up else 0)
    return [] if given_up else [text]


def _note_failure(delivery: Delivery, error: Exception) -> list[str]:
    # The web application imports this module by way of the jobs, and must not load AWS libraries.
    from billing.delivery.outcomes import Outcome, outcome_of  # noqa: PLC0415

    outcome = outcome_of(error)
    text = _words(error)
    sending = Delivery.objects.filter(pk=delivery.pk, status=_S.SENDING)
    if outcome is Outcome.LOST:
        lost = _("the provider's answer was lost, so the mail may have gone out: %(error)s") % {"error": text}
        sending.update(status=_S.HELD, last_error=lost)
        return []
    given_up = outcome is Outcome.REFUSED or delivery.attempts + 1 >= settings.SQUILL_JOB_MAX_ATTEMPTS
    noted = sending.update(status=_S.FAILED if given_up else _S.QUEUED, last_error=text)
    metrics.count("DeliveriesFailed", noted if given_up else 0)
    return [] if given_up else [text]


def _note_success(delivery: Delivery, provider_id: str, now: datetime) -> None:
    # HELD too: a job that took this one for dead has held it meanwhile, and here is the answer after all.
    answered: Sequence[str] = (_S.SENDING, _S.HELD)
    Delivery.objects.filter(pk=delivery.pk, status__in=answered).update(
        status=_S.SENT, sent_at=now, message_id=provider_id, last_error=""
    )
    metrics.count("MailsSent")
    if delivery.kind == Delivery.Kind.INVOICE:
        Invoice.objects.filter(deliveries=delivery, sent_at=None).exclude(status=Invoice.Status.VOID).update(sent_at=now)
    elif delivery.kind == Delivery.Kind.CREDIT_NOTE:
        CreditNote.objects.filter(deliveries=delivery, sent_at=None).update(sent_at=now)
    note_earlier_reports(delivery_id=delivery.pk, message_id=provider_id)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:2000]

"""The notice of an invoice: text and HTML, with the PDF attached, in the customer's language."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from billing.delivery.documents import read_document
from billing.invoicing.snapshot import from_json
from billing.models import Delivery, InvoiceDocument
from squill.web.formatting import format_date, format_money_minor


def invoice_mail(delivery: Delivery, document: InvoiceDocument) -> EmailMultiAlternatives:
    """Write the mail of a delivery. The Message-ID is the delivery's own, so that a doubled mail can be recognised."""
    snapshot = from_json(delivery.invoice.snapshot)
    with override(snapshot.locale.replace("_", "-").lower()):
        context = {
            "seller": snapshot.seller.name or snapshot.seller.legal_name,
            "buyer": snapshot.buyer.name,
            "number": snapshot.number,
            "due": format_money_minor(snapshot.due_minor, snapshot.currency, snapshot.locale),
            "due_on": format_date(snapshot.due_on, snapshot.locale),
            "url": settings.SQUILL_BASE_URL + reverse("portal:invoice", args=[snapshot.number]),
            "brand_color": snapshot.brand_color,
            "lines": [
                (line.description, format_money_minor(line.amount_minor, snapshot.currency, snapshot.locale))
                for line in snapshot.lines[:12]
            ],
        }
        subject = _("Invoice %(number)s from %(seller)s: %(due)s due %(due_on)s") % context
        message = EmailMultiAlternatives(
            subject=" ".join(subject.split()),
            body=render_to_string("emails/invoice.txt", context),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[delivery.recipient],
            reply_to=[snapshot.seller.email] if snapshot.seller.email else None,
            headers={
                "Message-ID": message_id(delivery),
                "Auto-Submitted": "auto-generated",
                "X-Entity-Ref-ID": str(delivery.invoice.public_id),
            },
        )
        message.attach_alternative(render_to_string("emails/invoice.html", context), "text/html")
    message.attach(f"{snapshot.number}.pdf", read_document(document), "application/pdf")
    return message


def message_id(delivery: Delivery) -> str:
    """
    Return the mail's own id: the same at every attempt, another where a sent notice is sent once more.

    Mailboxes take a second mail with an id that they know for the first one, and do not show it.
    """
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    once_more = f".{delivery.queued_at:%Y%m%d%H%M%S}" if delivery.message_id else ""
    return f"<{delivery.invoice.public_id}.{delivery.kind}.{delivery.pk}{once_more}@{domain}>"

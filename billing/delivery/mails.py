"""A notice as a message: text and HTML in the customer's language, with the PDF attached."""

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import get_language_bidi, override

from billing.delivery.documents import document_name, read_document, snapshot_of
from billing.delivery.notices import Matter, Notice, notice_of
from billing.delivery.rendering.colors import palette
from billing.invoicing.dispatch import About
from billing.invoicing.snapshot import InvoiceSnapshot
from billing.models import Delivery, Document
from squill.web.formatting import country_name

# A larger PDF is not attached: many mailboxes refuse it, and the notice with it. The mail leads to it instead.
LARGEST_ATTACHMENT_BYTES: Final = 5_000_000


def thing_of(delivery: Delivery) -> About:
    """Return what a notice is about; exactly one of the three is there, by constraint."""
    about = delivery.invoice or delivery.credit_note or delivery.payment
    if about is None:
        raise ValueError("a notice about nothing")
    return about


def notice_mail(delivery: Delivery, document: Document, *, now: datetime) -> EmailMultiAlternatives:
    """
    Write the mail of a delivery, by what is paid and due at `now`.

    The Message-ID is the delivery's own, so that a doubled mail can be recognised.

    :raises DocumentDamaged: if the stored PDF is not the one that was rendered
    """
    about = thing_of(delivery)
    snapshot = snapshot_of(about, as_of=document.rendered_at)
    is_attached = document.size_bytes <= LARGEST_ATTACHMENT_BYTES
    with override(snapshot.locale.replace("_", "-").lower()):
        notice = notice_of(Matter(delivery=delivery, snapshot=snapshot, now=now))
        context = _context(notice, snapshot, is_attached=is_attached)
        message = EmailMultiAlternatives(
            subject=" ".join(notice.subject.split()),
            body=render_to_string("emails/notice.txt", context),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[delivery.recipient],
            reply_to=[snapshot.seller.email] if snapshot.seller.email else None,
            headers={
                "Message-ID": message_id(delivery),
                "Auto-Submitted": "auto-generated",
                "X-Entity-Ref-ID": reference(delivery),
            },
        )
        message.attach_alternative(render_to_string("emails/notice.html", context), "text/html")
    if is_attached:
        message.attach(document_name(about), read_document(document), "application/pdf")
    return message


def reference(delivery: Delivery) -> str:
    """
    Return what the mail is known by: the same at every attempt, another where a sent notice is sent once more.

    Mailboxes take a second mail with an id that they know for the first one, and do not show it.
    """
    once_more = f".{delivery.queued_at:%Y%m%d%H%M%S}" if delivery.message_id else ""
    return f"{thing_of(delivery).public_id}.{delivery.kind}.{delivery.pk}{once_more}"


def message_id(delivery: Delivery) -> str:
    """Return the mail's own Message-ID; SES puts one of its own in its place, and keeps the reference."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    return f"<{reference(delivery)}@{domain}>"


def _context(notice: Notice, snapshot: InvoiceSnapshot, *, is_attached: bool) -> dict[str, Any]:
    seller = snapshot.seller
    country = country_name(seller.country, snapshot.locale) if seller.country else ""
    is_rtl = get_language_bidi()
    return {
        "notice": notice,
        "is_attached": is_attached,
        "sender": seller.name or seller.legal_name,
        "imprint": [
            " · ".join(part for part in (seller.legal_name, *seller.address, country) if part),
            " · ".join(part for part in (seller.registration, seller.tax_id) if part),
        ],
        "has_reply_to": bool(seller.email),
        "brand_color": palette(snapshot.brand_color).accent,
        "start": "right" if is_rtl else "left",
        "end": "left" if is_rtl else "right",
    }

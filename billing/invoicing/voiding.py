"""Void an invoice: the document stays as it is and keeps its number, its periods are due again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.drafting import draft_boundary
from billing.invoicing.items import ItemsRefused, kept_items
from billing.invoicing.moves import move_invoice
from billing.invoicing.one_off import draft_one_off
from billing.locks import lock_invoice, lock_subscription
from billing.models import BillingPeriod, Delivery, Invoice
from billing.rating.terms import TermsBook
from billing.reductions.credits import return_credits
from squill.lib.actor import Actor
from squill.lib.refusal import Refused


class UnableToVoid(Refused):
    """The invoice cannot be voided; `code` is stable, the message is for a person."""


@transaction.atomic
def void_invoice(*, invoice_id: int, reason: str, actor: Actor, now: datetime, reissue: bool = False) -> Invoice:
    """
    Void a final invoice that nobody has paid. The next run bills its periods again, on a corrected invoice (ADR 0008).

    With `reissue` the corrected invoice is drafted at once, of the same periods or items: `replacement_of` is it. Credits that it
    used are given back. Idempotent: a void invoice stays as it is, and is drafted anew at most once. Locks the subscription, the
    invoice, then the customer's credits.

    :raises UnableToVoid: draft (delete it instead), paid (money has come in), credited (a credit note corrects it),
        reason_missing, or, where its items cannot be drafted again, as draft_one_off says
    """
    lock_subscription(Invoice.objects.values_list("subscription_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoice(invoice_id)
    if invoice.status == Invoice.Status.VOID:
        if reissue:
            _reissue(invoice, actor=actor, now=now)
        return invoice
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToVoid(_("a draft has no number yet: it changes by itself until it is finalised"), code="draft")
    if invoice.paid_minor:
        raise UnableToVoid(_("money has come in for this invoice: credit it instead of voiding it"), code="paid")
    if invoice.credit_notes.exists():
        raise UnableToVoid(_("a credit note corrects this invoice: credit what is left of it instead"), code="credited")
    if not reason.strip():
        raise UnableToVoid(_("say why: the reason is kept with the invoice"), code="reason_missing")
    BillingPeriod.objects.filter(arrears_invoice=invoice).update(arrears_invoice=None, arrears_billed_at=None)
    BillingPeriod.objects.filter(advance_invoice=invoice).update(advance_invoice=None, advance_billed_at=None)
    Delivery.objects.filter(invoice=invoice, status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.CANCELLED, last_error=_("the invoice was voided before it was sent")
    )
    returned = return_credits(invoice=invoice, now=now, recorded_by=actor.label)
    move_invoice(
        invoice,
        Invoice.Status.VOID,
        action="invoice.voided",
        actor=actor,
        now=now,
        facts={"reason": reason.strip(), **({"credits_returned_minor": returned} if returned else {})},
        voided_at=now,
        void_reason=reason.strip(),
    )
    if reissue:
        _reissue(invoice, actor=actor, now=now)
    return invoice


def replacement_of(invoice: Invoice) -> Invoice | None:
    """Return the invoice, or the draft, that bills anew what a void one billed; None if there is none. One query."""
    return Invoice.objects.filter(replaces=invoice).exclude(status=Invoice.Status.VOID).order_by("-pk").first()


def _reissue(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Draft what a void invoice billed once more, unless that is done. Where nothing is due any more there is no draft."""
    if invoice.subscription_id is not None and invoice.boundary_at is not None:
        draft_boundary(
            subscription_id=invoice.subscription_id, boundary_at=invoice.boundary_at, as_of=now, terms_book=TermsBook()
        )
    elif not Invoice.objects.filter(replaces=invoice).exists():
        asked = kept_items(invoice)
        try:
            draft_one_off(
                customer_id=invoice.customer_id,
                currency=invoice.currency,
                items=asked.items,
                payment_terms_days=asked.payment_terms_days,
                note=asked.note,
                replaces=invoice,
                now=now,
                actor=actor,
            )
        except ItemsRefused as refused:
            raise UnableToVoid(str(refused), code=refused.code) from None

"""Crediting over HTTP: an invoice, in whole or in part, and the differences of a subscription. Both can be asked for first."""

from collections.abc import Sequence
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing.api import credit_note_examples as told
from billing.api import examples
from billing.api.access import find_invoice, find_subscription, visible_invoices, visible_subscriptions
from billing.api.credit_note_serializers import (
    CorrectionsPreviewSerializer,
    CorrectionsSerializer,
    CreditCorrectionsSerializer,
    CreditInvoiceSerializer,
    CreditNotePreviewSerializer,
    CreditNoteSerializer,
)
from billing.api.credit_notes import TAGS, whole_credit_notes
from billing.api.fields import amount_text, flag, minor_units, refusal
from billing.invoicing.crediting.correcting import NotCredited, credit_corrections, preview_corrections
from billing.invoicing.crediting.issuing import issue_credit_note, preview_credit_note
from billing.invoicing.crediting.planning import LineAsked
from billing.invoicing.crediting.rows import credit_note_rows
from billing.invoicing.crediting.settling import UnableToCredit, Wish
from billing.invoicing.snapshot import Settlement
from billing.models import CreditNote, Invoice
from customers.api.authentication import actor_of
from squill.lib import clock
from squill.web.answers import FORBIDDEN, INVALID, NOT_FOUND, problem
from squill.web.problems import Problem
from usage.api import queries

_PREVIEW: Final = OpenApiParameter("preview", bool, description="`true` only says what would be written, and writes nothing.")
# Refusals that say something about the request itself; all others are about the state that it meets.
_ABOUT_THE_REQUEST: Final = frozenset(
    {"amount_not_positive", "correction_in_part", "line_twice", "line_unknown", "nothing_asked", "reference_missing"}
)
_SETTLEMENT: Final = frozenset({"settlement_differs", "more_than_left", "more_than_paid"})
_NOT_CREDITED = problem(
    "conflict",
    "The invoice is a draft or void, less is left than was asked for, or the reference is known with other content.",
    code="too_much",
    message="12.00 EUR are left of line 3",
    field="lines[0]",
)
_NOTHING = problem(
    "conflict",
    "Nothing was billed too much, or what was cannot be credited; nothing was written.",
    code="nothing_to_credit",
    message="nothing was billed too much, or a draft carries it already",
)


def _preview(value: Any) -> OpenApiExample:
    return OpenApiExample("Preview", value=value, response_only=True, status_codes=["200"])


class InvoiceCreditNotesView(APIView):
    """The crediting of an invoice."""

    @extend_schema(
        operation_id="credit_invoice",
        summary="Credit an invoice",
        description=(
            "Take an invoice back, in whole or by line and amount. Discounts and tax go back with the amounts, never more than "
            "was invoiced. What is left to pay of the invoice is lowered first; the rest is kept for the next invoices, or to be "
            "paid back. The same `reference` again is answered with the credit note that is there."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=CreditInvoiceSerializer,
        responses={200: CreditNotePreviewSerializer, 201: CreditNoteSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOT_CREDITED,
        examples=[
            examples.sent(told.CREDIT_BODY),
            examples.answered(told.CREDIT_NOTE, 201),
            _preview(told.CREDIT_NOTE_PREVIEW),
        ],
    )
    def post(self, request: Request, number: str) -> Response:
        """Credit the invoice, or say what that would be."""
        queries.refuse_unknown(request.query_params, frozenset({"preview"}))
        invoice = find_invoice(visible_invoices(request).select_related("customer", "billing_entity"), number)
        body = CreditInvoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        asked: dict[str, Any] = {
            "reason": CreditNote.Reason(values["reason"]),
            "lines": _lines(values.get("lines"), invoice),
            "settlement": _wish(values, invoice),
        }
        now = clock.now()
        try:
            if flag(request.query_params, "preview"):
                planned = preview_credit_note(invoice=invoice, **asked)
                rows = credit_note_rows(planned, now=now, explanation=values["explanation"])
                return Response(CreditNotePreviewSerializer(rows).data)
            note = issue_credit_note(
                invoice_id=invoice.pk,
                explanation=values["explanation"],
                reference=values["reference"],
                actor=actor_of(request),
                now=now,
                **asked,
            )
        except UnableToCredit as error:
            raise _problem(error, asked["lines"]) from None
        answer = CreditNoteSerializer(whole_credit_notes(request).get(pk=note.pk)).data
        return Response(answer, status=status.HTTP_201_CREATED)


class SubscriptionCreditCorrectionsView(APIView):
    """The differences of a subscription."""

    @extend_schema(
        operation_id="credit_corrections",
        summary="Credit the differences of a subscription",
        description=(
            "Credit what settled periods were billed too much by the usage and terms now known, instead of leaving it to the "
            "next invoice: a credit note for each invoice that billed some of it. Differences that a draft carries are left "
            "alone. The same `reference` again is answered with the credit notes that are there."
        ),
        tags=TAGS,
        parameters=[_PREVIEW],
        request=CreditCorrectionsSerializer,
        responses={200: CorrectionsPreviewSerializer, 201: CorrectionsSerializer} | INVALID | FORBIDDEN | NOT_FOUND | _NOTHING,
        examples=[
            examples.sent(told.CORRECTIONS_BODY),
            examples.answered({"credit_notes": [told.CORRECTION], "not_credited": []}, 201),
            _preview({"credit_notes": [told.CORRECTION_PREVIEW], "not_credited": [told.NOT_CREDITED]}),
        ],
    )
    def post(self, request: Request, external_id: str) -> Response:
        """Credit the differences, or say what that would be."""
        queries.refuse_unknown(request.query_params, frozenset({"preview"}))
        subscription = find_subscription(visible_subscriptions(request).select_related("customer"), external_id)
        body = CreditCorrectionsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values: dict[str, Any] = body.validated_data
        rest, now, currency = values.get("rest", "balance"), clock.now(), subscription.customer.currency
        try:
            if flag(request.query_params, "preview"):
                planned = preview_corrections(subscription_id=subscription.pk, rest=rest)
                rows = [credit_note_rows(note, now=now, explanation=values["explanation"]) for note in planned.credit_notes]
                answer = {"credit_notes": rows, "not_credited": _not_credited(planned.not_credited, currency)}
                return Response(CorrectionsPreviewSerializer(answer).data)
            made = credit_corrections(
                subscription_id=subscription.pk,
                explanation=values["explanation"],
                reference=values["reference"],
                rest=rest,
                actor=actor_of(request),
                now=now,
            )
        except UnableToCredit as error:
            raise _problem(error, None) from None
        notes = whole_credit_notes(request).filter(pk__in=[note.pk for note in made.credit_notes]).order_by("pk")
        answer = {"credit_notes": list(notes), "not_credited": _not_credited(made.not_credited, currency)}
        return Response(CorrectionsSerializer(answer).data, status=status.HTTP_201_CREATED)


def _lines(asked: Sequence[dict[str, Any]] | None, invoice: Invoice) -> Sequence[LineAsked] | None:
    if asked is None:
        return None
    return [
        LineAsked(
            line["position"],
            None if line.get("amount") is None else minor_units(line["amount"], invoice.currency, field=f"lines[{index}].amount"),
        )
        for index, line in enumerate(asked)
    ]


def _wish(values: dict[str, Any], invoice: Invoice) -> Wish:
    amounts = values.get("settlement")
    if amounts is None:
        rest: Wish = values.get("rest", "balance")
        return rest
    return Settlement(
        **{f"{name}_minor": minor_units(amount, invoice.currency, field=f"settlement.{name}") for name, amount in amounts.items()}
    )


def _problem(error: UnableToCredit, lines: Sequence[LineAsked] | None) -> Problem:
    field = "settlement" if error.code in _SETTLEMENT else "reference" if error.code.startswith("reference") else ""
    if error.position is not None and lines is not None:
        index = next((index for index, line in enumerate(lines) if line.position == error.position), 0)
        field = f"lines[{index}]"
    return refusal(str(error), code=error.code, field=field, is_conflict=error.code not in _ABOUT_THE_REQUEST)


def _not_credited(found: Sequence[NotCredited], currency: str) -> list[dict[str, Any]]:
    return [
        {
            "first_day": each.first_day,
            "charge": each.charge_code,
            "amount": amount_text(each.amount_minor, currency),
            "why": each.why,
        }
        for each in found
    ]

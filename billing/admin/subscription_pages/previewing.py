"""A change in two steps: the first says what it makes of the next invoice, the second does it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.admin.shown import day, days, locale, money
from billing.admin.subscription_pages.forms import WhenForm
from billing.invoicing.composing import ComposedInvoice, ComposedLine
from billing.invoicing.preview import ChangePreview, preview_change
from billing.models import Subscription
from billing.subscriptions.refusals import SubscriptionError
from squill.lib import clock
from squill.lib.refusal import Refused
from squill.web import formatting

_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "step"})


def previewed(
    model_admin: Any,
    request: HttpRequest,
    subscription: Subscription,
    *,
    title: str,
    question: str,
    form: WhenForm,
    change: Callable[[WhenForm], Any],
    done: str,
    is_final: bool = False,
) -> HttpResponse:
    """
    Ask for a change, show what it makes of the next invoice, and make it once the person says yes.

    `change` calls the service with what the form holds. It runs in the preview too, which takes it back. Refusals stand at
    their fields, in either step, and nothing was done.
    """
    page = reverse("admin:billing_subscription_change", args=[subscription.pk])
    step = request.POST.get("step", "look")
    shown: dict[str, Any] = {}
    if request.method == "POST" and step in ("look", "do") and form.is_valid():
        try:
            if step == "do":
                change(form)
                messages.success(request, done)
                return redirect(page)
            preview = preview_change(subscription_id=subscription.pk, change=lambda: change(form), now=clock.now())
            shown = preview_page(preview, subscription) | {"kept": _kept(request), "answers": form.answers()}
        except SubscriptionError as refusal:
            form.add_error(form.field_of(refusal.field), refusal.message)
        except Refused as missing:
            form.add_error(None, str(missing))
    context = model_admin.admin_site.each_context(request) | {
        **shown,
        "is_preview": bool(shown),
        "title": title,
        "question": question,
        "form": form,
        "is_final": is_final,
        "subscription": subscription,
        "opts": subscription._meta,
        "original": subscription,
        "back": page,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/billing/change_preview.html", context)


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was typed, for the second step."""
    return [(name, str(value)) for name, value in request.POST.items() if name not in _NOT_KEPT]


def preview_page(preview: ChangePreview, subscription: Subscription) -> dict[str, Any]:
    """Return the next invoice without a change and with it, as the page writes it."""
    currency = subscription.customer.currency
    difference = preview.difference_minor
    return {
        "invoices": [(_("As it is"), _invoice(preview.before)), (_("With the change"), _invoice(preview.after))],
        "difference": ("+" if difference > 0 else "") + money(difference, currency),
        "is_same": difference == 0,
        "compared_until": day(preview.compared_until.astimezone(ZoneInfo(subscription.customer.timezone)).date()),
        "own_invoice_on": _own_day(preview),
    }


def _own_day(preview: ChangePreview) -> str:
    """Return the day of the invoice that the change brings by itself, since it cuts the running period; empty if it does not."""
    before, after = preview.before, preview.after
    is_other = before is not None and after is not None and before.issued_on != after.issued_on
    return day(after.issued_on) if is_other and after is not None else ""


def _invoice(composed: ComposedInvoice | None) -> dict[str, Any] | None:
    if composed is None:
        return None
    totals = composed.totals
    own_span = (composed.first_day, composed.last_day)
    return {
        "issued": day(composed.issued_on),
        "span": days(*own_span),
        "lines": [_line(line, totals.currency, own_span) for line in composed.lines],
        "net": money(totals.net_minor, totals.currency),
        "tax": money(totals.tax_minor, totals.currency) if totals.tax_minor else "",
        "due": money(totals.due_minor, totals.currency),
    }


def _line(line: ComposedLine, currency: str, own_span: tuple[date, date]) -> dict[str, str]:
    rated = line.rated
    span = (rated.first_day, rated.end_day - timedelta(days=1))
    said = [line.detail, "" if span == own_span else days(*span)]
    return {
        "name": line.description,
        "detail": " · ".join(part for part in said if part),
        "quantity": f"{formatting.format_decimal(rated.quantity, locale())} {rated.unit}".strip() if rated.quantity else "",
        "amount": money(rated.amount_minor, currency),
    }

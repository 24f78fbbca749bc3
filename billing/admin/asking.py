"""A page between an action and its doing: says what will happen, asks for what is needed, and shows what the service refuses."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminEmailInputWidget

from squill.lib.refusal import Refused


class ResendForm(forms.Form):
    """Where a document goes."""

    recipient = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, widget=UnfoldAdminEmailInputWidget)


class NothingToAsk(forms.Form):
    """An action that needs a yes only."""


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: the values of a POST, even of an empty one; None on the way in."""
    return request.POST if request.method == "POST" else None


def asked(
    model_admin: Any,
    request: HttpRequest,
    obj: Any,
    *,
    title: str,
    question: str,
    form: forms.Form,
    run: Callable[[Mapping[str, Any]], str],
    refusals: tuple[type[Exception], ...],
    is_final: bool = False,
    template: str = "admin/ask.html",
    shown: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """
    Ask before an action, and do it once the person says yes.

    A GET shows the question and the form. A POST with a valid form calls `run` with its values, says what that returns, and
    goes back to the object's page, or to the list if it is gone; a refusal of the service is shown with the form, and nothing
    was done. `is_final` marks what cannot be taken back. `template` shows more than the question, which is in `shown`.
    """
    opts = obj._meta
    prefix = f"{model_admin.admin_site.name}:{opts.app_label}_{opts.model_name}"
    page = reverse(f"{prefix}_change", args=[obj.pk])
    caught: tuple[type[Exception], ...] = (*refusals, Refused)
    if request.method == "POST" and form.is_valid():
        try:
            done = run(form.cleaned_data)
        except caught as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            is_there = type(obj)._default_manager.filter(pk=obj.pk).exists()
            return redirect(page if is_there else f"{prefix}_changelist")
    context = model_admin.admin_site.each_context(request) | {
        **(shown or {}),
        "title": title,
        "question": question,
        "form": form,
        "is_final": is_final,
        "opts": opts,
        "original": obj,
        "back": page,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, template, context)


def asked_where_to(
    model_admin: Any, request: HttpRequest, obj: Any, *, title: str, question: str, send: Callable[[str], str]
) -> HttpResponse:
    """Ask which address a document of a customer goes to, by default the customer's, then `send` it, which says what it did."""
    form = ResendForm(posted(request), initial={"recipient": obj.customer.email})

    def run(values: Mapping[str, Any]) -> str:
        return send(values["recipient"])

    return asked(model_admin, request, obj, title=title, question=question, form=form, run=run, refusals=())

"""Getting into the portal and out of it."""

from django import forms
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.portal.access import SESSION_KEY, customers_of
from customers.portal_access import send_sign_in_link, use_link, user_of_link
from squill.lib import clock


class SignInForm(forms.Form):
    """The address that a sign-in link is mailed to."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True, "placeholder": "ana@example.com"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for an address and mail a link to it; the answer is the same whether or not the address is known."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        send_sign_in_link(email=form.cleaned_data["email"], now=clock.now(), next_path=_next_path(request))
        return redirect("portal:sign-in-sent")
    return render(request, "portal/sign_in.html", {"form": form, "next": _next_path(request)})


@require_GET
def sign_in_sent(request: HttpRequest) -> HttpResponse:
    """Say that a link is on its way, if the address is known."""
    return render(request, "portal/sign_in_sent.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """
    Let the person in whom the link was mailed to.

    Only a POST uses the link up: scanners of mail open every link, and would spend it before the person comes.
    """
    if request.method == "POST":
        user = use_link(token, now=clock.now())
        if user is not None:
            login(request, user, backend="sesame.backends.ModelBackend")
            return redirect(_next_path(request) or "portal:overview")
    else:
        user = user_of_link(token)
    if user is None:
        return render(request, "portal/sign_in_expired.html", status=410)
    return render(request, "portal/sign_in_confirm.html", {"email": user.email, "next": _next_path(request)})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("portal:sign-in")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choose_customer(request: HttpRequest) -> HttpResponse:
    """Let a person who has several customers choose whose portal to see; the choice stays in the session."""
    choices = customers_of(request)
    if not choices:
        raise Http404(_("You have no access to a customer portal."))
    if request.method == "POST":
        wanted = request.POST.get("customer", "")
        chosen = next((customer for customer in choices if str(customer.pk) == wanted), None)
        if chosen is None:
            raise Http404(_("There is no such customer here."))
        request.session[SESSION_KEY] = chosen.pk
        return redirect("portal:overview")
    return render(request, "portal/choose_customer.html", {"choices": choices})


def _next_path(request: HttpRequest) -> str:
    """Return where to go after signing in, if that is a page of the portal on this host; else nothing."""
    path = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith(reverse("portal:overview"))
    return path if is_ours else ""

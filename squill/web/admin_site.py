"""The frame of the finance desk: what its sidebar lists, and the one exception from the Content Security Policy."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, URLPattern, URLResolver, path, reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

# Unfold runs on Alpine.js, which compiles the expressions in its attributes ('unsafe-eval'), and writes style attributes and
# small inline scripts. It has no build without them, so /admin/ alone is relaxed: it is for signed-in staff and shows no markup
# of customers unescaped. Nothing is loaded from other hosts either way.
ADMIN_POLICY: Final = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}

# Group, then (title, icon of Material Symbols, "app.model").
_GROUPS: Final[Sequence[tuple[Any, Sequence[tuple[Any, str, str]]]]] = (
    (
        _("Customers"),
        (
            (_("Customers"), "domain", "customers.customer"),
            (_("Portal users"), "badge", "customers.portaluser"),
        ),
    ),
    (
        _("Usage"),
        (
            (_("Meters"), "speed", "usage.meter"),
            (_("Events"), "bolt", "usage.event"),
            (_("Corrections"), "undo", "usage.correction"),
            (_("Quarantine"), "report", "usage.quarantinedevent"),
        ),
    ),
    (
        _("Catalogue"),
        (
            (_("Plans"), "sell", "billing.plan"),
            (_("Plan versions"), "history_edu", "billing.planversion"),
            (_("Coupons"), "loyalty", "billing.coupon"),
        ),
    ),
    (
        _("Billing"),
        (
            (_("Subscriptions"), "autorenew", "billing.subscription"),
            (_("Invoices"), "receipt_long", "billing.invoice"),
            (_("Credit notes"), "assignment_return", "billing.creditnote"),
            (_("Payments"), "payments", "billing.payment"),
            (_("Credits"), "savings", "billing.credit"),
            (_("Credit ledger"), "account_balance", "billing.creditentry"),
            (_("Billing runs"), "play_circle", "billing.billingrun"),
            (_("Deliveries"), "outgoing_mail", "billing.delivery"),
            (_("Suppressed addresses"), "unsubscribe", "billing.suppressedaddress"),
        ),
    ),
    (
        _("Settings"),
        (
            (_("Billing entities"), "store", "billing.billingentity"),
            (_("Tax registrations"), "assured_workload", "billing.taxregistration"),
            (_("Tax rates"), "percent", "billing.taxrate"),
            (_("Number series"), "tag", "billing.numberseries"),
            (_("API keys"), "key", "customers.apikey"),
            (_("Users"), "group", "customers.user"),
            (_("Audit trail"), "history", "customers.auditevent"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar; unfold leaves out what the person may not see."""
    overview = {"title": _("Overview"), "icon": "dashboard", "link": reverse_lazy("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for title, entries in _GROUPS:
        items = [item for entry in entries if (item := _item(*entry)) and item["permission"](request)]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(title: Any, icon: str, model: str) -> dict[str, Any] | None:
    app, name = model.split(".")
    try:
        link = reverse(f"admin:{app}_{name}_changelist")
    except NoReverseMatch:  # a model that has no page in the admin has no place in its sidebar
        return None
    return {"title": title, "icon": icon, "link": link, "permission": partial(_may_view, app=app, name=name)}


def _may_view(request: HttpRequest, *, app: str, name: str) -> bool:
    user = request.user
    return bool(user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}"))


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Show the admin's own sign-in page; whoever comes without a page to go to is sent to the overview, not to the portal."""
    if REDIRECT_FIELD_NAME not in request.GET:
        query = urlencode({REDIRECT_FIELD_NAME: reverse("admin:index")})
        return redirect(f"{reverse('admin:login')}?{query}")
    return admin.site.login(request)


type AdminUrls = tuple[list[URLPattern | URLResolver], str, str]


def with_admin_policy(urls: AdminUrls) -> AdminUrls:
    """Return the admin site's URLs with every view of them, its sign-in page too, answered under ADMIN_POLICY."""
    patterns, app_name, namespace = urls
    relax = csp_update(ADMIN_POLICY)
    return [_decorated(pattern, relax) for pattern in [path("login/", sign_in), *patterns]], app_name, namespace


def _decorated(pattern: URLPattern | URLResolver, decorate: Callable[[Any], Any]) -> URLPattern | URLResolver:
    if isinstance(pattern, URLPattern):
        return URLPattern(pattern.pattern, decorate(pattern.callback), pattern.default_args, pattern.name)
    inner = [_decorated(below, decorate) for below in pattern.url_patterns]
    return URLResolver(pattern.pattern, inner, pattern.default_kwargs, pattern.app_name, pattern.namespace)

"""API keys in the finance desk: made, shown once, revoked."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from customers.api_keys import ApiKeyError, issue_api_key, revoke_api_key
from customers.models import ApiKey, Scope
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of, confirmed, detail_action, try_out


class ApiKeyForm(RecordForm):
    """A key to be made."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"), choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "customer", "expires_at")

    def clean(self) -> dict[str, Any]:
        """Let the service try it, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try_out(self, lambda: self.apply(actor=system("admin form"), now=clock.now()), ApiKeyError)
        return cleaned

    def apply(self, *, actor: Actor, now: datetime) -> tuple[ApiKey, str]:
        """Make the key by its service."""
        return issue_api_key(**self.cleaned_data, actor=actor, now=now)


@admin.register(ApiKey)
class ApiKeyAdmin(KeptAdmin):
    """A key never changes once it is made; it can only be revoked."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "customer", "state", "expires_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("customer",)
    search_fields = ("name", "prefix")
    ordering = ("-created_at",)
    autocomplete_fields = ("customer",)
    actions_detail = ("revoke",)
    readonly_fields = ("prefix", "scopes_text", "created_at", "expires_at", "revoked_at", "last_used_at")
    fieldsets = (
        (None, {"fields": ("name", "prefix", "scopes_text", "customer")}),
        (gettext_lazy("History"), {"fields": (("created_at", "expires_at"), ("last_used_at", "revoked_at"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Leave a new key open."""
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for little when a key is made."""
        if obj:
            return self.fieldsets
        return ((None, {"fields": ("name", "scopes", "customer", "expires_at")}),)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change a key that there is."""
        return obj is None and super().has_change_permission(request, obj)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those revoke who may change keys."""
        return bool(request.user.has_perm("customers.change_apikey"))

    @admin.display(description=gettext_lazy("scopes"))
    def scopes_text(self, api_key: ApiKey) -> str:
        """Return the scopes in words."""
        return ", ".join(str(Scope(scope).label) for scope in api_key.scopes)

    @admin.display(description=gettext_lazy("state"))
    def state(self, api_key: ApiKey) -> str:
        """Return whether the key works."""
        if api_key.revoked_at:
            return _("revoked")
        expired = api_key.expires_at is not None and api_key.expires_at <= clock.now()
        return _("expired") if expired else _("works")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Make the key by its service, and show its secret this one time."""
        api_key, secret = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(api_key.__dict__)
        shown = format_html(_("The key is shown this once, so copy it now: {}"), format_html("<code>{}</code>", secret))
        messages.warning(request, shown)

    @detail_action(title=gettext_lazy("Revoke"), path="revoke", icon="block", permission="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end the key."""
        api_key = get_object_or_404(ApiKey, pk=object_id)
        return confirmed(
            self,
            request,
            api_key,
            title=_("Revoke"),
            question=_("Revoke %(key)s? What uses it stops working at once, and it cannot be brought back.") % {"key": api_key},
            run=lambda: _revoke(api_key, request),
            done=_("%(key)s is revoked.") % {"key": api_key},
        )


def _revoke(api_key: ApiKey, request: HttpRequest) -> None:
    revoke_api_key(api_key_id=api_key.pk, actor=actor_of(request), now=clock.now())

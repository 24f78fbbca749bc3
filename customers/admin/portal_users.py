"""Who may enter which customer's portal."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from customers.models import PortalUser
from customers.portal_access import PortalAccessError, grant_portal_access, revoke_portal_access
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of, confirmed, detail_action, try_out


class PortalUserForm(RecordForm):
    """A person, by address, and the customer whose portal to open."""

    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, widget=UnfoldAdminEmailInputWidget)
    full_name = forms.CharField(
        label=gettext_lazy("Full name"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = PortalUser
        fields = ("customer",)

    def clean(self) -> dict[str, Any]:
        """Let the service try it, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try_out(self, lambda: self.apply(actor=system("admin form"), now=clock.now()), PortalAccessError)
        return cleaned

    def apply(self, *, actor: Actor, now: datetime) -> PortalUser:
        """Give the access by its service."""
        values = self.cleaned_data
        return grant_portal_access(
            customer_id=values["customer"].pk, email=values["email"], full_name=values["full_name"], actor=actor, now=now
        )


@admin.register(PortalUser)
class PortalUserAdmin(KeptAdmin):
    """Access is given and taken away, never changed."""

    form = PortalUserForm
    list_display = ("user", "email", "customer", "created_at", "last_login")
    list_select_related = ("user", "customer")
    search_fields = ("user__email", "user__full_name", "customer__name", "customer__external_id")
    ordering = ("-created_at",)
    autocomplete_fields = ("customer",)
    actions_detail = ("take_away",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for an address, or show the person."""
        fields = ("user", "customer", "created_at", "last_login") if obj else ("customer", "email", "full_name")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Leave new access open."""
        return ("user", "customer", "created_at", "last_login") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change access that there is."""
        return obj is None and super().has_change_permission(request, obj)

    def has_take_away_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those take access away who may change it."""
        return bool(request.user.has_perm("customers.change_portaluser"))

    @admin.display(description=gettext_lazy("e-mail"), ordering="user__email")
    def email(self, access: PortalUser) -> str:
        """Return the address that links are mailed to."""
        return access.user.email

    @admin.display(description=gettext_lazy("last sign-in"), ordering="user__last_login")
    def last_login(self, access: PortalUser) -> datetime | None:
        """Return when the person last signed in."""
        return access.user.last_login

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Give the access by its service, which audits."""
        access = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(access.__dict__)

    @detail_action(title=gettext_lazy("Take access away"), path="take-away", icon="block", permission="take_away")
    def take_away(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then close the portal to the person."""
        access = get_object_or_404(PortalUser.objects.select_related("user", "customer"), pk=object_id)
        names = {"person": access.user, "customer": access.customer}
        return confirmed(
            self,
            request,
            access,
            title=_("Take access away"),
            question=_("Close the portal of %(customer)s to %(person)s?") % names,
            run=lambda: _take_away(access, request),
            done=_("%(person)s no longer has access to the portal of %(customer)s.") % names,
        )


def _take_away(access: PortalUser, request: HttpRequest) -> None:
    revoke_portal_access(portal_user_id=access.pk, actor=actor_of(request), now=clock.now())

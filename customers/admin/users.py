"""People and groups. Only a superuser makes staff, superusers and permissions."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from customers import audit
from customers.models import User
from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, actor_of

if TYPE_CHECKING:
    _DjangoUserAdmin = DjangoUserAdmin[Any]
else:
    _DjangoUserAdmin = DjangoUserAdmin

_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class NewUserForm(UserCreationForm):  # type: ignore[misc] # Unfold carries no types
    class Meta:
        model = User
        fields = ("email", "full_name")

    def clean_email(self) -> str:
        """Return the address in lower case, so that it names one person only."""
        return str(self.cleaned_data["email"]).lower()


class ChangedUserForm(UserChangeForm):  # type: ignore[misc] # Unfold carries no types
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        """Return the address in lower case, so that it names one person only."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(_DjangoUserAdmin, KeptAdmin):
    """Finance staff with their permissions, and the people of customers."""

    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "full_name", "is_staff", "is_superuser", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("email", "full_name")
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        (gettext_lazy("May do"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (gettext_lazy("History"), {"fields": (("last_login", "created_at"),)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "usable_password", "password1", "password2")}),)
    _shown: ClassVar[tuple[str, ...]] = ("last_login", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep powers out of reach of those who are no superusers, for nobody may give what they do not have."""
        return self._shown if _is_superuser(request) else (*self._shown, *_POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers change superusers and other staff, their passwords too."""
        is_powerful = isinstance(obj, User) and (obj.is_superuser or obj.is_staff) and obj.pk != request.user.pk
        return super().has_change_permission(request, obj) and (_is_superuser(request) or not is_powerful)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save groups and permissions, then put on the trail what was changed, never a password."""
        super().save_related(request, form, formsets, change)
        secret = {"password", "password1", "password2", "usable_password"}
        changed = [field for field in form.changed_data if field not in secret]
        audit.record(
            action="user.updated" if change else "user.created",
            object_type="user",
            object_id=form.instance.email,
            actor=actor_of(request),
            now=clock.now(),
            before={field: _plain(form.initial.get(field)) for field in changed} if change else {},
            after={field: _plain(form.cleaned_data.get(field)) for field in changed},
        )

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Change a password, and put on the trail that it was."""
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            audit.record(
                action="user.password_changed",
                object_type="user",
                object_id=User.objects.get(pk=id).email,
                actor=actor_of(request),
                now=clock.now(),
            )
        return answer


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _plain(value: Any) -> Any:
    """Return the value as JSON holds it: sets of rows as their sorted names."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return sorted(str(one) for one in value) if hasattr(value, "__iter__") else str(value)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, KeptAdmin):
    """Sets of permissions; only superusers change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let only superusers make groups."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let only superusers change groups."""
        return _is_superuser(request)

"""
What the admin pages of all apps are made of: nothing is ever deleted, actions ask before they act, changes are one service call.

Unfold carries no types; at run time these classes are Unfold's, for the type checker they are Django's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action as unfold_action
from unfold.paginator import InfinitePaginator

from squill.lib.actor import Actor

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    class _Admin(ModelAdmin[Any]):
        actions_detail: list[str] | tuple[str, ...]
        actions_list: list[str] | tuple[str, ...]

    class _Tabular(TabularInline[Any, Any]):
        tab: bool

    class RecordForm(ModelForm[Any]):
        """A form of one row, whose fields may be shown as errors of a service."""
else:
    RecordForm = ModelForm
    from unfold.admin import ModelAdmin as _Admin
    from unfold.admin import TabularInline as _Tabular


def actor_of(request: HttpRequest) -> Actor:
    """Return who the audit trail names for a change made in the finance desk."""
    return Actor("user", request.user.get_username())


class KeptAdmin(_Admin):
    """An admin whose rows are never deleted; final states and archiving take the place of it."""

    list_fullwidth = True
    warn_unsaved_form = True
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, whoever asks."""
        return False


class ReadOnlyAdmin(KeptAdmin):
    """An admin that only shows; for what other parts of Squill write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse, whoever asks."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, whoever asks."""
        return False


class HugeReadOnlyAdmin(ReadOnlyAdmin):
    """The same for tables that are too large to count."""

    paginator = InfinitePaginator
    show_full_result_count = False


class ReadOnlyInline(_Tabular):
    """Rows of another table, shown below what they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, whoever asks."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse, whoever asks."""
        return False


def detail_action[F: Callable[..., Any]](
    *, title: Any, path: str, icon: str = "", permission: str = "change"
) -> Callable[[F], F]:
    """Make a method `(self, request, object_id)` a button on the page of one object, for those with the permission."""
    decorate = unfold_action(description=title, url_path=path, permissions=[permission], icon=icon or None)
    return cast("Callable[[F], F]", decorate)


def list_action[F: Callable[..., Any]](*, title: Any, path: str, icon: str = "", permission: str) -> Callable[[F], F]:
    """Make a method `(self, request)` a button above a list, for those with the permission."""
    return detail_action(title=title, path=path, icon=icon, permission=permission)


def confirmed(
    model_admin: Any, request: HttpRequest, obj: Any, *, title: str, question: str, run: Callable[[], None], done: str
) -> HttpResponse:
    """
    Ask before an action, and do it once the person says yes.

    A GET shows the question; a POST calls `run`, says `done`, and goes back to the object's page, or to the list if it is gone.
    """
    opts = obj._meta
    prefix = f"{model_admin.admin_site.name}:{opts.app_label}_{opts.model_name}"
    page = reverse(f"{prefix}_change", args=[obj.pk])
    if request.method == "POST":
        run()
        messages.success(request, done)
        still_there = type(obj)._default_manager.filter(pk=obj.pk).exists()
        return redirect(page if still_there else f"{prefix}_changelist")
    context = model_admin.admin_site.each_context(request) | {
        "title": title,
        "question": question,
        "opts": opts,
        "original": obj,
        "back": page,
    }
    return TemplateResponse(request, "admin/confirm.html", context)


def try_out(form: RecordForm, service: Callable[[], object], refusal: type[Exception]) -> None:
    """
    Call the service and take back what it did, so that its refusal becomes errors of the form, each at its field.

    The refusal has `errors`: a message for each field. The admin calls the service again, for good, when it saves the form.
    """
    try:
        with transaction.atomic():
            service()
            transaction.set_rollback(True)
    except refusal as error:
        for field, message in error.errors.items():  # type: ignore[attr-defined]
            form.add_error(field if field in form.fields else None, ValidationError(message))

"""What can be done with a version of a plan: each is one service call with the actor, after a page that says what will happen."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelect2Widget

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.past_usage import past_usage_page
from billing.admin.plan_builder.pages import Building, build_page, page_of
from billing.admin.version_page import charge_words
from billing.catalog.compare import compare_versions
from billing.catalog.derive import derive_version
from billing.catalog.drafts import archive_version, discard_draft, publish_draft
from billing.catalog.errors import CatalogError
from billing.catalog.plans import draft_version, published_version
from billing.catalog.specs import plan_spec
from billing.models import Plan, PlanVersion, Subscription
from customers.models import Customer
from squill.lib import clock
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import ReadOnlyAdmin as _Admin
else:
    _Admin = object


class OwnerForm(forms.Form):
    """Whom a version is made for."""

    customer = forms.ModelChoiceField(
        label=gettext_lazy("Customer"),
        queryset=Customer.objects.filter(archived_at=None),
        help_text=gettext_lazy("They must pay in the currency of the version."),
    )

    def __init__(self, data: Any, *, site: Any) -> None:
        super().__init__(data)
        field: Any = self.fields["customer"]
        # Finds by what is typed: there may be more customers than a list can show.
        field.widget = AutocompleteSelect(PlanVersion._meta.get_field("customer"), site)
        field.widget.choices = field.choices


class OtherVersionForm(forms.Form):
    """What a version is compared with."""

    other = forms.ModelChoiceField(
        label=gettext_lazy("Compare with"), queryset=PlanVersion.objects.none(), widget=UnfoldAdminSelect2Widget
    )

    def __init__(self, data: Any, *, version: PlanVersion) -> None:
        super().__init__(data)
        field: Any = self.fields["other"]
        others = PlanVersion.objects.filter(plan__kind=version.plan.kind).exclude(pk=version.pk)
        same_first = others.order_by("plan__name", "-version").select_related("plan", "customer")
        field.queryset = same_first
        field.label_from_instance = _named


def _named(version: PlanVersion) -> str:
    """Tell versions of one plan apart."""
    whose = f" · {version.customer}" if version.customer else ""
    return f"{version} · {version.currency}{whose} · {version.get_status_display()}"


def possible_actions(version: PlanVersion) -> set[str]:
    """Return the names of the actions that the services would take for the version as it is."""
    of_plans = {"past_usage"} if version.plan.kind == Plan.Kind.PLAN else set()
    if version.status == PlanVersion.Status.DRAFT:
        return {"edit", "publish", "discard", "compare"} | of_plans
    found = {"new_draft", "compare"} | of_plans
    if version.customer_id is None:
        found.add("derive")
    if version.status == PlanVersion.Status.PUBLISHED:
        found.add("archive")
    return found


class VersionActions(_Admin):
    """The buttons of a version's page."""

    actions_detail = (  # type: ignore[assignment] # Unfold's menus
        "edit",
        "publish",
        "new_draft",
        "derive",
        "compare",
        {"title": gettext_lazy("More"), "icon": "more_horiz", "items": ["past_usage", "archive", "discard"]},
    )

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change versions of plans."""
        return bool(request.user.has_perm("billing.change_planversion"))

    def has_bill_view_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those see amounts of customers who may see invoices."""
        return bool(request.user.has_perm("billing.view_invoice") and request.user.has_perm("billing.view_planversion"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        version = PlanVersion.objects.select_related("plan").filter(pk=object_id).first()
        allowed = {f"billing_planversion_{name}" for name in possible_actions(version)} if version else set()
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in allowed]

    @detail_action(title=gettext_lazy("Edit draft"), path="edit", icon="edit", permission="act")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form with the draft in it."""
        version = _version(object_id)
        if version.status != PlanVersion.Status.DRAFT:
            messages.warning(request, _("%(version)s is no draft any more, and never changes.") % {"version": version})
            return redirect(page_of(version))
        return build_page(self, request, Building.edit(version))

    @detail_action(title=gettext_lazy("New draft from this"), path="new-draft", icon="edit_note", permission="act")
    def new_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the form with a copy of the version in it; or the draft of the offer, where there is one."""
        version = _version(object_id)
        draft = draft_version(version.plan, currency=version.currency, customer_id=version.customer_id)
        if draft is not None and request.method != "POST":
            messages.info(request, _("There is a draft already: this is it. Discard it to begin anew."))
            return redirect(page_of(draft))
        return build_page(self, request, Building.beside(version))

    @detail_action(title=gettext_lazy("Publish"), path="publish", icon="rocket_launch", permission="act")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what it changes, ask, then put the draft on sale."""
        version = _version(object_id)
        sold = published_version(version.plan, currency=version.currency, customer_id=version.customer_id)
        compared = sold or version.derived_from

        def run(_values: Mapping[str, Any]) -> str:
            published = publish_draft(version_id=version.pk, actor=actor_of(request), now=clock.now())
            return _("%(version)s is on sale.") % {"version": published}

        running = Subscription.objects.filter(plan_version=sold, ends_at=None).count() if sold else 0
        return asked(
            self,
            request,
            version,
            title=_("Publish"),
            question=_question(version, sold),
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(CatalogError,),
            template="admin/billing/publish.html",
            shown={
                "sold": sold,
                "compared": compared,
                "differences": compare_versions(compared, version) if compared and compared.pk != version.pk else [],
                "prices": [(charge.name, charge_words(charge, version.currency)) for charge in plan_spec(version).charges],
                "running": running,
            },
        )

    @detail_action(title=gettext_lazy("Discard draft"), path="discard", icon="delete", permission="act")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then delete the draft."""
        version = _version(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            discard_draft(version_id=version.pk, actor=actor_of(request), now=clock.now())
            return _("The draft of %(plan)s is gone.") % {"plan": version.plan}

        question = _("Discard %(version)s? What is on sale stays as it is; what is written in the draft is gone.")
        return self._asked(request, version, _("Discard draft"), question, run, is_final=True)

    @detail_action(title=gettext_lazy("Archive"), path="archive", icon="archive", permission="act")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then stop selling it."""
        version = _version(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            archive_version(version_id=version.pk, actor=actor_of(request), now=clock.now())
            return _("%(version)s is not sold any more.") % {"version": version}

        question = _("Stop selling %(version)s? Whoever has it keeps it, at its prices. Nobody new can have it.")
        return self._asked(request, version, _("Archive"), question, run)

    @detail_action(title=gettext_lazy("Derive for a customer"), path="derive", icon="person_add", permission="act")
    def derive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for whom, then write a draft of their own and go to it."""
        version = _version(object_id)
        made: list[PlanVersion] = []

        def run(values: Mapping[str, Any]) -> str:
            customer = values["customer"]
            made.append(derive_version(version_id=version.pk, customer=customer, actor=actor_of(request), now=clock.now()))
            return _("A draft for %(customer)s is there: change its prices, then publish it.") % {"customer": customer}

        answer = asked(
            self,
            request,
            version,
            title=_("Derive for a customer"),
            question=_("For whom is %(version)s changed? They get a version of their own, instead of the public one.")
            % {"version": version},
            form=OwnerForm(posted(request), site=self.admin_site),
            run=run,
            refusals=(CatalogError,),
        )
        return redirect(reverse("admin:billing_planversion_edit", args=[made[0].pk])) if made else answer

    @detail_action(title=gettext_lazy("Compare with…"), path="compare", icon="difference", permission="view")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what differs between this version and another. Writes nothing, so that its address can be passed on."""
        version = _version(object_id)
        form = OtherVersionForm(request.GET if "other" in request.GET else None, version=version)
        context = self.admin_site.each_context(request) | {
            "title": _("Compare %(version)s") % {"version": version},
            "form": form,
            "version": version,
            "opts": self.opts,
            "original": version,
            "back": page_of(version),
            "media": self.media + form.media,
        }
        if form.is_bound and form.is_valid():
            other = form.cleaned_data["other"]
            context |= {"other": other, "differences": compare_versions(other, version)}
        return TemplateResponse(request, "admin/billing/compare.html", context)

    @detail_action(title=gettext_lazy("Price past usage"), path="past-usage", icon="query_stats", permission="bill_view")
    def past_usage(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what the version would have cost for usage that is past, beside what it did cost. Writes nothing."""
        return past_usage_page(self, request, _version(object_id))

    def _asked(
        self,
        request: HttpRequest,
        version: PlanVersion,
        title: str,
        question: str,
        run: Callable[[Mapping[str, Any]], str],
        **fields: Any,
    ) -> HttpResponse:
        """Ask for nothing but a yes."""
        return asked(
            self,
            request,
            version,
            title=title,
            question=question % {"version": version},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(CatalogError,),
            **fields,
        )


def _version(object_id: str) -> PlanVersion:
    return get_object_or_404(PlanVersion.objects.select_related("plan", "customer"), pk=object_id)


def _question(version: PlanVersion, sold: PlanVersion | None) -> str:
    if sold is not None:
        question = _("Put %(version)s on sale in the place of %(sold)s? Once published it never changes.")
        return question % {"version": version, "sold": sold}
    if version.customer is not None:
        question = _("Put %(version)s on sale for %(customer)s alone? Once published it never changes.")
        return question % {"version": version, "customer": version.customer}
    question = _("Put %(version)s on sale for all who pay in %(currency)s? Once published it never changes.")
    return question % {"version": version, "currency": version.currency}

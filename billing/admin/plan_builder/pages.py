"""The page on which a plan is built: new, a draft, or a draft made of another version. It writes drafts only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from billing.admin.plan_builder.forms import PlanForms
from billing.admin.plan_builder.refusals import read_forms, show_refusal
from billing.admin.plan_builder.rows import ChargeRow, filled, new_row, rows_of_members, rows_of_request, stepped
from billing.admin.plan_builder.trying import Trial, trial_of
from billing.catalog.drafts import save_draft
from billing.catalog.errors import CatalogError
from billing.catalog.specs import plan_spec
from billing.catalog.values import PlanSpec
from billing.models import Plan, PlanVersion
from customers.models import Customer
from squill.lib import clock
from squill.web.admin_pages import actor_of

_NEW_FACTS = {"kind": "plan", "interval": "monthly", "interval_count": "1", "anchor": "calendar"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """What is built: what the form begins with, what of it is fixed, and where it came from."""

    title: str
    facts: Mapping[str, str]
    rows: list[ChargeRow]
    fixed: tuple[str, ...] = ()
    draft: PlanVersion | None = None  # the one that is edited
    origin: PlanVersion | None = None  # the version that a new draft begins as
    back: str = ""

    @classmethod
    def new(cls) -> Self:
        """Begin with nothing, in the currency that most customers pay in."""
        currencies = list(Customer.objects.order_by().values_list("currency", flat=True)[:1000])
        usual = max(set(currencies), key=currencies.count) if currencies else "EUR"
        return cls(
            title=_("Add plan"),
            facts=_NEW_FACTS | {"currency": usual},
            rows=[new_row()],
            back=reverse("admin:billing_plan_changelist"),
        )

    @classmethod
    def edit(cls, draft: PlanVersion) -> Self:
        """Begin with a draft. Which offer it is a draft of does not change, nor the name of a plan that is or was on sale."""
        was_sold = PlanVersion.objects.filter(plan=draft.plan_id).exclude(status=PlanVersion.Status.DRAFT).exists()
        fixed = ("code", "kind", "currency", *(("name",) if was_sold else ()))
        title = _("Edit draft of %(version)s") % {"version": draft}
        return cls(title=title, fixed=fixed, draft=draft, back=page_of(draft), **_content(draft))

    @classmethod
    def beside(cls, version: PlanVersion) -> Self:
        """Begin with a version that is or was on sale. A public one may be sold in another currency too."""
        fixed = ("code", "kind", "name", *(("currency",) if version.customer_id else ()))
        title = _("New draft from %(version)s") % {"version": version}
        return cls(title=title, fixed=fixed, origin=version, back=page_of(version), **_content(version))

    @property
    def customer(self) -> Customer | None:
        """Whose own version it is."""
        version = self.draft or self.origin
        return version.customer if version else None

    @property
    def seen(self) -> str:
        """What stands for the draft as it is now, so that nobody writes over what somebody else has changed meanwhile."""
        return _digest(plan_spec(self.draft)) if self.draft else ""


def page_of(version: PlanVersion) -> str:
    """Return the page of a version."""
    return reverse("admin:billing_planversion_change", args=[version.pk])


def build_page(model_admin: Any, request: HttpRequest, building: Building) -> HttpResponse:
    """
    Show the form, do what a button of it says, or save the draft and go to its page.

    A refusal stands beside the field that it names, and nothing is written.
    """
    fixed = {name: building.facts.get(name, "") for name in building.fixed}
    trial: Trial | None = None
    if request.method != "POST":
        forms = PlanForms(building.facts, building.rows, fixed=fixed)
    else:
        step = request.POST.get("step", "save")
        rows = rows_of_request(request.POST)
        if step not in ("save", "try"):
            forms = PlanForms(request.POST, stepped(rows, step), fixed=fixed)
        else:
            forms = PlanForms(request.POST, filled(rows) or [new_row()], fixed=fixed)
            spec = _read(forms, building)
            if spec is not None and step == "try":
                trial = trial_of(spec, request.POST, priced=True)
            elif spec is not None and (draft := _save(request, forms, building, spec)) is not None:
                messages.success(request, _("The draft is saved. Nobody can have it before it is published."))
                return redirect(page_of(draft))
    return _shown(model_admin, request, building, forms, trial)


def _read(forms: PlanForms, building: Building) -> PlanSpec | None:
    if not forms.is_valid():
        return None
    return read_forms(forms, customer=building.customer.external_id if building.customer else "")


def _save(request: HttpRequest, forms: PlanForms, building: Building, spec: PlanSpec) -> PlanVersion | None:
    try:
        _refuse_writing_over(request, building, spec)
        return save_draft(spec=spec, actor=actor_of(request), now=clock.now())
    except CatalogError as error:
        show_refusal(forms, error.member, error.message)
        return None


def _refuse_writing_over(request: HttpRequest, building: Building, spec: PlanSpec) -> None:
    """
    Refuse to save over a draft that whoever fills in the form has not seen, unless it says the same.

    :raises CatalogError: naming the field that leads there
    """
    offer: dict[str, Any] = {"plan__code": spec.code, "currency": spec.currency, "customer": building.customer}
    drafts = PlanVersion.objects.filter(status=PlanVersion.Status.DRAFT, **offer).select_related("plan", "customer")
    there = drafts.first()
    if there is not None and plan_spec(there) == spec:
        return
    if building.draft is not None:
        if there is None or request.POST.get("seen") != _digest(plan_spec(there)):
            raise CatalogError(_("somebody has changed this draft since you opened it: open it again, and change that"))
    elif building.origin is None and Plan.objects.filter(code=spec.code).exists():
        raise CatalogError(_("there is a plan %(code)s: open it for a new draft") % {"code": spec.code}, member="code")
    elif there is not None:
        message = _("there is a draft in %(currency)s, version %(version)d: edit or discard that")
        raise CatalogError(message % {"currency": spec.currency, "version": there.version}, member="currency")


def _shown(model_admin: Any, request: HttpRequest, building: Building, forms: PlanForms, trial: Trial | None) -> TemplateResponse:
    context = model_admin.admin_site.each_context(request) | {
        "title": building.title,
        "building": building,
        "forms": forms,
        "trial": trial,
        "seen": request.POST.get("seen", building.seen),
        "currency": forms.facts["currency"].value() or "",
        "opts": model_admin.opts,
        "original": building.draft or building.origin,
        "back": building.back,
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/billing/plan_builder/page.html", context)


def _content(version: PlanVersion) -> dict[str, Any]:
    spec = plan_spec(version)
    members = spec.members()
    facts = {name: str(value) for name, value in members.items() if name != "charges"}
    return {"facts": _NEW_FACTS | {"kind": spec.kind} | facts, "rows": rows_of_members(members)}


def _digest(spec: PlanSpec) -> str:
    return sha256(json.dumps(spec.members(), sort_keys=True).encode()).hexdigest()

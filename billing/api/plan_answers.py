"""What the views of plans share: the JSON of versions, the reading of bodies and queries, and how refusals are told."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter

from billing.api.fields import refusal
from billing.catalog.apply import UnpublishedChanges
from billing.catalog.compare import MemberChange
from billing.catalog.document import LocatedError, PlanSpec, member_of, read_plan
from billing.catalog.errors import CatalogError
from billing.catalog.specs import plan_specs
from billing.models import Plan, PlanVersion
from squill.web.answers import problem
from squill.web.problems import Problem, invalid

TAGS: Final = ["Plans"]
BAD: Final = problem(
    "invalid",
    "The plan cannot be read; nothing was written.",
    field="charges[1].tiers[0].up_to",
    message="must be below the next bound",
)
CURRENCY: Final = OpenApiParameter("currency", str, description="Needed only where there are several.")
CUSTOMER: Final = OpenApiParameter(
    "customer", str, description="External id: the customer's own version, and not the one for everybody."
)


def version_members(versions: Iterable[PlanVersion]) -> list[dict[str, Any]]:
    """Return the JSON of versions whose plan, customer and origin are loaded. One query for all charges."""
    rows = list(versions)
    return [
        {
            "kind": spec.kind,
            **spec.members(),
            "customer": spec.customer or None,
            "version": row.version,
            "status": row.status,
            "derived_from": row.derived_from.version if row.derived_from else None,
            "published_at": row.published_at,
        }
        for row, spec in zip(rows, plan_specs(rows), strict=True)
    ]


def whole_version(pk: int) -> dict[str, Any]:
    """
    Return the JSON of one version as it is now. Two queries.

    :raises Problem: if it was a draft, and somebody discarded it since it was written
    """
    version = PlanVersion.objects.select_related("plan", "customer", "derived_from").filter(pk=pk).first()
    if version is None:
        message = _("The draft is not there any more: somebody discarded it.")
        raise refusal(message, code="not_a_draft", is_conflict=True)
    return version_members([version])[0]


def change_members(changes: Iterable[MemberChange]) -> list[dict[str, Any]]:
    """Return the JSON of what differs, by member."""
    return [{"field": change.path, "before": change.before, "after": change.after} for change in changes]


def read_object(body: Any) -> dict[str, Any]:
    """
    Return the members of a body.

    :raises Problem: if it is no object
    """
    if not isinstance(body, Mapping):
        raise invalid({"": _("Write an object with the members of a plan.")})
    return dict(body)


def read_spec(members: dict[str, Any], code: str) -> PlanSpec:
    """
    Read a plan or add-on from the members of a body. Name and kind may be left out where the code has them already.

    :raises Problem: naming the member that cannot be used
    """
    if members.setdefault("code", code) != code:
        raise invalid({"code": _("The path says %(code)s: write the same, or leave it out.") % {"code": code}})
    plan = Plan.objects.filter(code=code).first() if "\0" not in code else None
    kind = members.pop("kind", None)
    if kind is None:
        kind = plan.kind if plan else Plan.Kind.PLAN
    if kind not in Plan.Kind.values:
        raise invalid({"kind": _("Write plan or add_on.")})
    if plan is not None and members.get("name") is None:
        members["name"] = plan.name
    try:
        return read_plan(members, kind=str(kind))
    except LocatedError as error:
        raise invalid({member_of(error): error.message}) from None


def refused(error: CatalogError) -> Problem:
    """Return the problem for a refusal of the catalogue: a conflict where the state is the reason, else a bad member."""
    if error.code:
        return refusal(error.message, code=error.code, field=error.member, is_conflict=True)
    return invalid({error.member: error.message})


def differing(error: UnpublishedChanges) -> Problem:
    """Return the problem for a published plan that says something else: in words, and an entry for each member."""
    words = [difference for change in error.changes for difference in change.differences]
    errors = [
        {"field": member.path, "code": "published_plan_differs", "message": member.change}
        for change in error.changes
        for member in change.members
    ]
    told = "; ".join(words[:5]) + ("; …" if len(words) > 5 else "")
    detail = _(
        "The plan is published and says something else: %(differences)s. To publish a new version, add “new_version”: true."
    )
    return Problem(type="conflict", detail=detail % {"differences": told}, errors=errors)


def chosen(versions: QuerySet[PlanVersion], query: QueryDict, *, missing: str, caller: int | None = None) -> PlanVersion:
    """
    Return the one offer that `currency` and `customer` of a query choose.

    Without `customer` it is the public one, or the own one of the customer that the calling key is narrowed to.

    :raises Http404: (saying what is missing) if there is none
    :raises Problem: if there are several, naming the currencies
    """
    customer = query.get("customer")
    if customer is not None:
        found = versions.filter(customer__external_id=customer)
    else:
        own = versions.filter(customer=caller).exclude(customer=None)
        found = own if own.exists() else versions.filter(customer=None)
    if (currency := query.get("currency")) is not None:
        found = found.filter(currency=currency)
    rows = list(found.select_related("plan", "customer", "derived_from").order_by("currency"))
    if not rows:
        raise Http404(missing)
    if len(rows) > 1:
        message = _("There is one in each of %(currencies)s: say which.")
        raise invalid({"currency": message % {"currencies": ", ".join(row.currency for row in rows)}})
    return rows[0]

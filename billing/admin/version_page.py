"""A version of a plan as the finance desk shows it: what it is, its prices in words, the box that prices, its story."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.admin.plan_builder.trying import is_tried, trial_of
from billing.admin.shown import locale, moment
from billing.admin.story import Chapter, story_of
from billing.catalog.document import ChargeSpec, PlanSpec
from billing.catalog.specs import plan_spec
from billing.models import Plan, PlanVersion, Subscription
from billing.pricing.describe import describe_charge
from customers.models import AuditEvent
from squill.lib.decimals import plain
from squill.web import formatting
from usage.models import Meter

VERSION_COLORS: Final = {"draft": "warning", "published": "success", "archived": ""}
_STORY: Final = 20


def version_page(version: PlanVersion, data: Mapping[str, str]) -> dict[str, Any]:
    """Return the page of a loaded version; `data` are the quantities that somebody tries. At most seven queries."""
    spec = plan_spec(version)
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in={charge.meter for charge in spec.charges})}
    running = Subscription.objects.filter(plan_version=version, ends_at=None).count()
    subscriptions = reverse("admin:billing_subscription_changelist")
    return {
        "version": version,
        "is_plan": version.plan.kind == Plan.Kind.PLAN,
        "state": version.get_status_display(),
        "state_color": VERSION_COLORS[version.status],
        "since": moment(version.published_at or version.created_at),
        "cadence": version.cadence_words,
        "anchor": version.get_anchor_display(),
        "trial": ngettext("%(days)d day of trial", "%(days)d days of trial", version.trial_days) % {"days": version.trial_days},
        "commitment": "" if spec.minimum_commitment is None else _price(spec, spec.minimum_commitment),
        "running": running,
        "subscriptions_url": f"{subscriptions}?plan_version__id__exact={version.pk}",
        "charges": [_charge(charge, spec, meters.get(charge.meter)) for charge in spec.charges],
        "trial_box": trial_of(spec, data, priced=is_tried(data)),
        "others": _others(version),
        "story": _story(version),
    }


def charge_words(charge: ChargeSpec, currency: str) -> list[str]:
    """Return the price of a charge in words, a row a tier, as whoever looks writes numbers."""
    return describe_charge(
        charge.terms,
        currency=currency,
        money=lambda amount: formatting.format_unit_price(amount, currency, locale()),
        quantity=lambda number: formatting.format_decimal(number, locale()),
    )


def _charge(charge: ChargeSpec, spec: PlanSpec, meter: Meter | None) -> dict[str, Any]:
    return {
        "name": charge.name,
        "code": charge.code,
        "words": charge_words(charge, spec.currency),
        "meter": meter,
        "takes": list(_takes(charge)),
        "billed": _("in advance") if charge.billed == "in_advance" else _("at the end"),
    }


def _takes(charge: ChargeSpec) -> Iterator[str]:
    """Yield what a charge is a price of, where that is not all usage of its meter."""
    yield from (f"{name}: {value}" for name, value in charge.filter.items())
    if charge.default_quantity is not None:
        yield _("a quantity, %(default)s unless said otherwise") % {"default": plain(charge.default_quantity)}
    elif not charge.meter:
        yield _("a flat fee")
    if charge.tax_class != "standard":
        yield _("tax class %(name)s") % {"name": charge.tax_class}
    if charge.tax_rate is not None:
        yield _("tax of %(rate)s %%") % {"rate": formatting.format_decimal(charge.tax_rate, locale())}


def _price(spec: PlanSpec, amount: Any) -> str:
    return formatting.format_unit_price(amount, spec.currency, locale())


def _others(version: PlanVersion) -> QuerySet[PlanVersion]:
    """Return the other versions of the plan, newest first."""
    others = PlanVersion.objects.filter(plan=version.plan_id).exclude(pk=version.pk)
    return others.select_related("plan", "customer").order_by("-version")[:12]


def _story(version: PlanVersion) -> list[Chapter]:
    """Return who did what with the version, newest first."""
    events = AuditEvent.objects.filter(object_type="plan", object_id=version.plan.code).order_by("-at", "-pk")
    of_version = events.filter(after__version=version.version)
    return story_of(of_version[:_STORY], currency=version.currency, figures=False)

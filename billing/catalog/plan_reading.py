"""How a plan or an add-on of the catalogue file is read; every refusal says where and what to write instead."""

from decimal import Decimal
from typing import Final, cast

from django.utils.translation import gettext as _

from billing.catalog.reader import Reader
from billing.catalog.values import ADD_ON, PLAN, SECTIONS, ChargeSpec, PlanSpec, is_tax_class
from billing.pricing.charge import ChargeError, parse_charge
from billing.pricing.period import Anchor, Cadence, CadenceInterval
from squill.lib import currency as currencies
from squill.lib.located import Path

INTERVALS: Final = ("weekly", "monthly", "quarterly", "yearly")
ONCE: Final = "once"
ANCHORS: Final = ("calendar", "anniversary")
BILLED: Final = ("in_advance", "in_arrears")
MOST_INTERVALS: Final = 100
MOST_TRIAL_DAYS: Final = 730
_PLAN_ONLY: Final = ("anchor", "billing_day", "trial_days", "minimum_commitment")
_ADD_ON_MEMBERS: Final = frozenset({"code", "name", "currency", "customer", "interval", "interval_count", "charges"})
_MEMBERS: Final = {PLAN: _ADD_ON_MEMBERS | frozenset(_PLAN_ONLY), ADD_ON: _ADD_ON_MEMBERS}
_CHARGE_MEMBERS: Final = frozenset({"code", "name", "meter", "filter", "billed", "default_quantity", "tax_class", "tax_rate"})
_MOST_TAX: Final = 100


def read_section(reader: Reader, kind: str) -> tuple[PlanSpec, ...]:
    """
    Read the plans, or the add-ons, of a file.

    :raises LocatedError: naming the first line and member that cannot be used
    """
    section = SECTIONS[kind]
    return tuple(read_entry(reader, (section, index), kind) for index in range(reader.length((section,), reader.mapping(()))))


def refuse_contradictions(reader: Reader, plans: tuple[PlanSpec, ...], add_ons: tuple[PlanSpec, ...]) -> None:
    """
    Refuse entries of one code that cannot both be true.

    :raises LocatedError: if an offer stands twice, one code has two names, or is both a plan and an add-on
    """
    earlier: dict[str, PlanSpec] = {}
    offers: set[tuple[str, str, str]] = set()
    placed = [((SECTIONS[spec.kind], index), spec) for specs in (plans, add_ons) for index, spec in enumerate(specs)]
    for path, spec in placed:
        first = earlier.setdefault(spec.code, spec)
        if first.kind != spec.kind:
            message = _("%(code)s is the code of a plan already: give the add-on another")
            raise reader.error((*path, "code"), message % {"code": spec.code})
        if spec.offer in offers:
            what = _("%(code)s in %(currency)s") % {"code": spec.code, "currency": spec.currency}
            what += _(" for %(customer)s") % {"customer": spec.customer} if spec.customer else ""
            message = _("%(what)s stands twice: give one another currency or customer, or take it out")
            raise reader.error((*path, "code"), message % {"what": what})
        if first.name != spec.name:
            message = _("%(code)s has the name %(name)s above: write the same, since all its versions share it")
            raise reader.error((*path, "name"), message % {"code": spec.code, "name": first.name})
        offers.add(spec.offer)


def read_entry(reader: Reader, path: Path, kind: str) -> PlanSpec:
    """
    Read one plan or add-on.

    :raises LocatedError: naming the first member that cannot be used
    """
    members = reader.mapping(path)
    if kind == ADD_ON:
        for name in _PLAN_ONLY:
            if name in members:
                raise reader.error((*path, name), _("an add-on follows the plan that it is added to: leave it out"))
    reader.mapping(path, allowed=set(_MEMBERS[kind]))
    currency = reader.text((*path, "currency"))
    try:
        currencies.exponent(currency)
    except ValueError as error:
        raise reader.error((*path, "currency"), str(error)) from None
    charges = tuple(
        _charge(reader, (*path, "charges", index), kind) for index in range(reader.length((*path, "charges"), members))
    )
    if not charges:
        wanted = _("a plan needs at least one charge") if kind == PLAN else _("an add-on needs at least one charge")
        raise reader.error((*path, "charges"), wanted)
    reader.refuse_repeats([charge.code for charge in charges], (*path, "charges"))
    _refuse_competing(charges, reader, path)
    interval, interval_count, anchor, day = _cadence(reader, path, kind)
    return PlanSpec(
        code=reader.code((*path, "code")),
        name=reader.text((*path, "name"), default=reader.code((*path, "code"))),
        kind=kind,
        currency=currency,
        customer=reader.text((*path, "customer"), default=""),
        interval=interval,
        interval_count=interval_count,
        anchor=anchor,
        billing_day=day,
        trial_days=reader.count((*path, "trial_days"), default=0, least=0, most=MOST_TRIAL_DAYS),
        charges=charges,
        minimum_commitment=reader.number((*path, "minimum_commitment"), above_zero=True),
        line=reader.located.lines.get(path),
    )


def _cadence(reader: Reader, path: Path, kind: str) -> tuple[str, int, str, int]:
    """Read how often it is billed: interval, number of intervals, anchor and billing day."""
    intervals = (*INTERVALS, ONCE) if kind == ADD_ON else INTERVALS
    if kind == PLAN and reader.get((*path, "interval")) == ONCE:
        message = _("only an add-on is charged once: put it under add_ons, or write one of %(intervals)s")
        raise reader.error((*path, "interval"), message % {"intervals": ", ".join(INTERVALS)})
    interval = reader.choice((*path, "interval"), intervals, default="monthly")
    count = reader.count((*path, "interval_count"), default=1, least=1, most=MOST_INTERVALS)
    anchor = reader.choice((*path, "anchor"), ANCHORS, default="calendar")
    day = reader.count((*path, "billing_day"), default=1, least=1, most=31)
    if interval == ONCE:
        if count != 1:
            raise reader.error((*path, "interval_count"), _("what is charged once has no number of intervals: leave it out"))
        return interval, count, anchor, day
    try:
        Cadence(interval=cast(CadenceInterval, interval), count=count, anchor=cast(Anchor, anchor), day=day)
    except ValueError as error:  # count and day are in bounds, so that it is the day that does not fit
        raise reader.error((*path, "billing_day"), str(error)) from None
    return interval, count, anchor, day


def _charge(reader: Reader, path: Path, kind: str) -> ChargeSpec:
    members = reader.mapping(path)
    terms = {key: value for key, value in members.items() if key not in _CHARGE_MEMBERS}
    if kind == ADD_ON:
        for name in ("meter", "filter"):
            if members.get(name) is not None:
                raise reader.error((*path, name), _("an add-on has no usage: put the meter's charge into a plan"))
    try:
        charge = parse_charge(terms)
    except ChargeError as error:
        raise reader.error((*path, *_split(error.path)), error.message) from None
    spec = ChargeSpec(
        code=reader.code((*path, "code")),
        name=reader.text((*path, "name"), default=reader.code((*path, "code"))),
        terms=charge,
        meter=reader.text((*path, "meter"), default=""),
        filter=_filter(reader, path),
        billed=reader.choice((*path, "billed"), BILLED, default="in_arrears"),
        default_quantity=reader.number((*path, "default_quantity")),
        tax_class=_tax_class(reader, (*path, "tax_class")),
        tax_rate=_tax_rate(reader, (*path, "tax_rate")),
        line=reader.located.lines.get(path),
    )
    if spec.meter:
        _refuse_beside_meter(spec, reader, path)
    else:
        _refuse_without_meter(spec, reader, path, kind)
    return spec


def _tax_class(reader: Reader, path: Path) -> str:
    name = reader.text(path, default="standard", longest=32)
    if not is_tax_class(name):
        raise reader.error(path, _("a tax class has small letters, digits, - and _ only: standard, reduced, zero, exempt, …"))
    return name


def _tax_rate(reader: Reader, path: Path) -> Decimal | None:
    rate = reader.number(path)
    if rate is None:
        return None
    if rate > _MOST_TAX:
        raise reader.error(path, _("write percent from 0 to 100, such as 7"))
    if -int(rate.normalize().as_tuple().exponent) > 4:
        raise reader.error(path, _("write at most 4 decimals"))
    return rate


def _filter(reader: Reader, path: Path) -> dict[str, str]:
    if reader.get((*path, "filter")) is None:
        return {}
    filters = reader.mapping((*path, "filter"))
    for key, value in filters.items():
        if not isinstance(value, str) or "\0" in value:  # which no event has either
            raise reader.error((*path, "filter", key), _("write the dimension's value as text, in quotes"))
    return {key: str(value) for key, value in filters.items()}


def _refuse_beside_meter(spec: ChargeSpec, reader: Reader, path: Path) -> None:
    if spec.default_quantity is not None:
        message = _("the meter gives the quantity: leave it out, or leave meter out to price seats")
        raise reader.error((*path, "default_quantity"), message)
    if spec.billed == "in_advance":
        raise reader.error((*path, "billed"), _("usage is known only afterwards: bill it in_arrears"))


def _refuse_without_meter(spec: ChargeSpec, reader: Reader, path: Path, kind: str) -> None:
    is_flat = spec.terms.model.name == "flat"
    if spec.default_quantity is None and not is_flat:
        if kind == ADD_ON:
            message = _("is missing: only a flat charge can do without; give how many are sold unless somebody says otherwise")
            raise reader.error((*path, "default_quantity"), message)
        message = _(
            "only a flat charge can do without a meter: name the meter whose usage it prices, "
            "or give default_quantity to price seats"
        )
        raise reader.error((*path, "meter"), message)
    if spec.filter:
        raise reader.error((*path, "filter"), _("a filter needs a meter"))
    if spec.default_quantity is not None and is_flat:
        message = _("a flat fee has no quantity: leave it out, or write model per_unit with a unit_amount")
        raise reader.error((*path, "default_quantity"), message)
    if spec.default_quantity is not None and spec.terms.prices_events:
        message = _("prices amounts of money, not seats: name a meter instead of default_quantity, or use another model")
        raise reader.error((*path, "model"), message)


def _refuse_competing(charges: tuple[ChargeSpec, ...], reader: Reader, path: Path) -> None:
    """
    Refuse two charges of a meter that could take the same usage.

    Two filters compete unless some dimension is in both with different values; a charge without one takes the rest,
    so there can be only one of it.
    """
    for index, charge in enumerate(charges):
        for earlier in charges[:index]:
            if not charge.meter or charge.meter != earlier.meter or bool(charge.filter) != bool(earlier.filter):
                continue
            if any(earlier.filter[key] != value for key, value in charge.filter.items() if key in earlier.filter):
                continue
            message = _("takes the same usage as charge %(other)s: give the two filters different values of one dimension")
            raise reader.error((*path, "charges", index, "filter"), message % {"other": earlier.code})


def _split(path: str) -> Path:
    """Turn tiers[1].up_to into its parts."""
    parts: list[str | int] = []
    for word in path.replace("[", ".[").split("."):
        if word.startswith("["):
            parts.append(int(word[1:-1]))
        elif word:
            parts.append(word)
    return tuple(parts)

"""Coupons themselves: made, changed while nobody has them, and archived. Who has one is billing.reductions.redeeming."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.locks import lock_coupon
from billing.models import Charge, Coupon, Plan
from billing.reductions.refusals import ReductionError
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.currency import CODES
from squill.lib.decimals import plain

# What an amount of a coupon or credit stays below, in minor units.
MOST_MINOR: Final = 10**15
MOST_TIMES: Final = 10_000  # invoices that a coupon lasts
MOST_REDEMPTIONS: Final = 10**9
# What a coupon takes off, and for how long: fixed once a customer has it.
TERMS: Final = ("percent", "amount_minor", "currency", "duration", "period_count", "plan_codes", "charge_codes")
CHANGEABLE: Final = ("name", "max_redemptions", "redeem_until")
_PERCENT_PLACES: Final = 4
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_COMMITMENT: Final = ":minimum-commitment"  # the line of a difference to the minimum commitment, as invoices name it


@transaction.atomic
def create_coupon(
    *,
    code: str,
    name: str,
    actor: Actor,
    now: datetime,
    percent: Decimal | None = None,
    amount_minor: int | None = None,
    currency: str = "",
    duration: str = Coupon.Duration.ONCE,
    period_count: int | None = None,
    plan_codes: Collection[str] = (),
    charge_codes: Collection[str] = (),
    max_redemptions: int | None = None,
    redeem_until: datetime | None = None,
) -> Coupon:
    """
    Make a coupon: a percentage, or an amount in one currency, off every invoice that it lasts for.

    `percent` is above 0 up to 100, with four decimals; `amount_minor` counts minor units of `currency`. `plan_codes` are plans
    and add-ons, `charge_codes` charges of theirs; empty: all. `redeem_until` is exclusive.

    :raises ReductionError: unusable (with the field), code_taken, plan_not_found, charge_not_found
    """
    coupon = Coupon(
        code=code,
        name=name,
        percent=percent,
        amount_minor=amount_minor,
        currency=currency,
        duration=duration,
        period_count=period_count,
        plan_codes=sorted(set(plan_codes)),
        charge_codes=sorted(set(charge_codes)),
        max_redemptions=max_redemptions,
        redeem_until=redeem_until,
        created_at=now,
    )
    _check(coupon)
    try:
        with transaction.atomic():
            coupon.save()
    except IntegrityError as error:
        if "code" not in str(error):
            raise
        message = _("there is a coupon %(code)s already: choose another code") % {"code": code}
        raise ReductionError(message, field="code", code="code_taken") from None
    _record("coupon.created", coupon, actor, now, after=_members(coupon))
    return coupon


@transaction.atomic
def update_coupon(*, code: str, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Coupon:
    """
    Change a coupon. Its name and limits can always change; what it takes off only while no customer ever had it.

    `changes` holds members of `create_coupon`, other than the code. What is the same changes nothing. Locks the coupon.

    :raises ReductionError: coupon_not_found, terms_fixed, limit_too_low, or as create_coupon
    """
    coupon = _locked(code)
    before = _members(coupon)
    for name, value in changes.items():
        if name not in (*TERMS, *CHANGEABLE):
            raise TypeError(f"a coupon has no {name} that could be changed")
        setattr(coupon, name, sorted(set(value)) if name in ("plan_codes", "charge_codes") else value)
    _check(coupon)
    after = _members(coupon)
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return coupon
    redeemed = coupon.redemptions.count()
    fixed = next((name for name in TERMS if name in changed), None)
    if redeemed and fixed is not None:
        message = _("customers have it already, so what it takes off stays: make another coupon, and archive this one")
        raise ReductionError(message, field=fixed, code="terms_fixed")
    if coupon.max_redemptions is not None and coupon.max_redemptions < redeemed:
        message = _("it was redeemed %(count)d times already: write that or more, or archive it") % {"count": redeemed}
        raise ReductionError(message, field="max_redemptions", code="limit_too_low")
    coupon.save()
    _record(
        "coupon.updated",
        coupon,
        actor,
        now,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return coupon


@transaction.atomic
def archive_coupon(*, code: str, actor: Actor, now: datetime) -> Coupon:
    """
    Let nobody redeem a coupon any more; whoever has it keeps it. Idempotent. Locks the coupon.

    :raises ReductionError: coupon_not_found
    """
    coupon = _locked(code)
    if coupon.archived_at is None:
        coupon.archived_at = now
        coupon.save(update_fields=["archived_at"])
        _record("coupon.archived", coupon, actor, now, after={"code": code})
    return coupon


def _locked(code: str) -> Coupon:
    coupon = lock_coupon(code) if "\0" not in code else None
    if coupon is None:
        raise ReductionError(_("there is no coupon %(code)s") % {"code": code}, field="coupon", code="coupon_not_found")
    return coupon


def _check(coupon: Coupon) -> None:
    """Refuse a coupon that could not be made, at the first member that is wrong."""
    if not _CODE.fullmatch(coupon.code):
        raise _unusable("code", _("write 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit"))
    check_name(coupon.name)
    _check_value(coupon)
    _check_duration(coupon)
    if coupon.max_redemptions is not None and not 1 <= coupon.max_redemptions <= MOST_REDEMPTIONS:
        raise _unusable("max_redemptions", _("write a number from 1 to %(most)d, or leave it out") % {"most": MOST_REDEMPTIONS})
    _check_scope(coupon)


def check_name(name: str) -> None:
    """
    Refuse a name that could not be printed on an invoice.

    :raises ReductionError: unusable
    """
    if not 1 <= len(name.strip()) <= 255 or not name.isprintable():
        raise _unusable("name", _("write a printable text of 1 to 255 characters: it is printed on invoices"))


def check_amount(amount_minor: int, *, field: str) -> None:
    """
    Refuse an amount in minor units that is not above zero, or too large to be meant.

    :raises ReductionError: unusable
    """
    if not 0 < amount_minor < MOST_MINOR:
        raise _unusable(field, _("write an amount above zero, and below %(most)d of the smallest unit") % {"most": MOST_MINOR})


def check_currency(currency: str) -> None:
    """
    Refuse what is not a currency in use.

    :raises ReductionError: unusable
    """
    if currency not in CODES:
        raise _unusable("currency", _("write a currency by its ISO 4217 code, such as EUR"))


def _check_value(coupon: Coupon) -> None:
    percent, amount = coupon.percent, coupon.amount_minor
    if (percent is None) == (amount is None):
        raise _unusable("percent", _("write either a percentage or an amount with its currency"))
    if amount is not None:
        check_amount(amount, field="amount")
        check_currency(coupon.currency)
    elif percent is not None:
        if not percent.is_finite() or not 0 < percent <= 100 or len(plain(percent).partition(".")[2]) > _PERCENT_PLACES:
            raise _unusable("percent", _("write a percentage above 0 up to 100, with at most four decimals"))
        if coupon.currency:
            raise _unusable("currency", _("leave the currency out: a percentage is taken off in every one"))


def _check_duration(coupon: Coupon) -> None:
    if coupon.duration not in Coupon.Duration.values:
        raise _unusable("duration", _("write one of %(choices)s") % {"choices": ", ".join(Coupon.Duration.values)})
    count = coupon.period_count
    if coupon.duration != Coupon.Duration.PERIODS:
        if count is not None:
            raise _unusable("period_count", _("only a coupon that lasts a number of invoices has one: leave it out"))
    elif count is None or not 1 <= count <= MOST_TIMES:
        raise _unusable("period_count", _("write for how many invoices it lasts, from 1 to %(most)d") % {"most": MOST_TIMES})


def _check_scope(coupon: Coupon) -> None:
    """Refuse codes that are not in the catalogue: a slip of the pen would make a coupon that takes nothing off."""
    plans = Plan.objects.filter(code__in=coupon.plan_codes) if not _odd(coupon.plan_codes) else Plan.objects.none()
    missing = sorted(set(coupon.plan_codes) - set(plans.values_list("code", flat=True)))
    if missing:
        message = _("there is no plan or add-on %(code)s") % {"code": missing[0]}
        raise ReductionError(message, field="plan_codes", code="plan_not_found")
    charges = Charge.objects.filter(code__in=coupon.charge_codes) if not _odd(coupon.charge_codes) else Charge.objects.none()
    if coupon.plan_codes:
        charges = charges.filter(plan_version__plan__code__in=coupon.plan_codes)
    missing = sorted(set(coupon.charge_codes) - set(charges.values_list("code", flat=True)) - {_COMMITMENT})
    if missing:
        words = _("none of the plans and add-ons has a charge %(code)s: write it without the add-on before it")
        raise ReductionError(words % {"code": missing[0]}, field="charge_codes", code="charge_not_found")


def _odd(codes: Collection[str]) -> bool:
    """Say whether a code holds what PostgreSQL cannot even look for."""
    return any("\0" in code for code in codes)


def _unusable(field: str, message: str) -> ReductionError:
    return ReductionError(message, field=field, code="unusable")


def _members(coupon: Coupon) -> dict[str, Any]:
    """Write what can change of a coupon as JSON values for the audit trail."""
    return {
        "name": coupon.name,
        "percent": None if coupon.percent is None else plain(coupon.percent),
        "amount_minor": coupon.amount_minor,
        "currency": coupon.currency,
        "duration": str(coupon.duration),
        "period_count": coupon.period_count,
        "plan_codes": list(coupon.plan_codes),
        "charge_codes": list(coupon.charge_codes),
        "max_redemptions": coupon.max_redemptions,
        "redeem_until": coupon.redeem_until.isoformat() if coupon.redeem_until else None,
    }


def _record(
    action: str,
    coupon: Coupon,
    actor: Actor,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    record(
        action=action, object_type="coupon", object_id=coupon.code, actor=actor, now=now, before=before or {}, after=after or {}
    )

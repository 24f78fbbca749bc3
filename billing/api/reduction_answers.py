"""What coupons and credits over HTTP share: how refusals are answered."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404

from billing.api.fields import refusal
from billing.reductions.refusals import ReductionError

TAGS: Final = ["Coupons and credits"]
_ABOUT_THE_REQUEST: Final = frozenset(
    {"charge_not_found", "currency_mismatch", "plan_not_found", "subscription_not_found", "unusable"}
)
_MEMBERS: Final[Mapping[str, str]] = {
    "plan_codes": "plans",
    "charge_codes": "charges",
    "amount_minor": "amount",
    "cost_basis_minor": "cost_basis",
}


def reduction_problem(error: ReductionError, *, is_path: bool = False) -> Exception:
    """Return (for raising) what answers a service's refusal; with `is_path` a coupon that is not there is a 404."""
    if is_path and error.code == "coupon_not_found":
        return Http404(error.message)
    is_conflict = error.code not in _ABOUT_THE_REQUEST and error.code != "coupon_not_found"
    return refusal(error.message, code=error.code, field=_MEMBERS.get(error.field, error.field), is_conflict=is_conflict)


def validated(serializer: Any) -> dict[str, Any]:
    """
    Return the values of a body.

    :raises ValidationError: naming every bad member
    """
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)

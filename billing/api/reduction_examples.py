"""The examples that the OpenAPI document shows of coupons and credits; the story is that of billing.api.examples."""

from typing import Any, Final

from billing.api.examples import answered, sent

__all__ = ["answered", "sent"]

COUPON_BODY: Final[dict[str, Any]] = {
    "code": "WELCOME10",
    "name": "Welcome, 10 % off",
    "percent": "10",
    "duration": "periods",
    "period_count": 3,
    "plans": ["scale"],
    "max_redemptions": 500,
    "redeem_until": "2027-01-01T00:00:00Z",
}
COUPON: Final[dict[str, Any]] = {
    "code": "WELCOME10",
    "name": "Welcome, 10 % off",
    "percent": "10",
    "amount": None,
    "currency": None,
    "duration": "periods",
    "period_count": 3,
    "plans": ["scale"],
    "charges": [],
    "max_redemptions": 500,
    "redeem_until": "2027-01-01T00:00:00Z",
    "redemptions": 1,
    "archived_at": None,
    "created_at": "2026-01-01T00:00:00Z",
}
COUPON_PATCH: Final[dict[str, Any]] = {"name": "Welcome, 10 % off", "max_redemptions": 500}
REDEEM_BODY: Final[dict[str, Any]] = {"coupon": "WELCOME10"}
HELD_COUPON: Final[dict[str, Any]] = {
    "coupon": "WELCOME10",
    "name": "Welcome, 10 % off",
    "subscription": None,
    "state": "running",
    "uses": 1,
    "uses_left": 2,
    "redeemed_at": "2026-01-01T00:00:00Z",
    "ended_at": None,
}
GRANT_BODY: Final[dict[str, Any]] = {
    "reference": "prepaid-2026-01",
    "kind": "paid",
    "name": "Prepaid in January",
    "amount": "100",
    "cost_basis": "90",
    "expires_at": "2027-01-01T00:00:00Z",
}
CREDIT: Final[dict[str, Any]] = {
    "reference": "prepaid-2026-01",
    "kind": "paid",
    "name": "Prepaid in January",
    "state": "usable",
    "currency": "EUR",
    "amount": "100",
    "left": "85",
    "cost_basis": "90",
    "priority": 100,
    "granted_at": "2026-01-05T09:00:00Z",
    "expires_at": "2027-01-01T00:00:00Z",
    "voided_at": None,
}
UNDO_BODY: Final[dict[str, Any]] = {"reason": "Granted to the wrong customer"}
CREDIT_ENTRY: Final[dict[str, Any]] = {
    "id": 42,
    "credit": "prepaid-2026-01",
    "kind": "used",
    "currency": "EUR",
    "amount": "-15",
    "balance": "85",
    "invoice": "INV-000001",
    "recorded_at": "2026-02-01T00:00:00Z",
    "recorded_by": "bill",
}

"""The audit trail: every service that changes state adds a row here, in its own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from customers.models import AuditEvent
from squill.lib.actor import Actor


def record(
    *,
    action: str,
    object_type: str,
    object_id: str,
    actor: Actor,
    now: datetime,
    customer_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one audit event. `before` and `after` are JSON values that hold what changed, and never a secret."""
    AuditEvent.objects.create(
        at=now,
        actor_kind=actor.kind,
        actor_label=actor.label,
        action=action,
        object_type=object_type,
        object_id=object_id,
        customer_id=customer_id,
        before=dict(before or {}),
        after=dict(after or {}),
    )

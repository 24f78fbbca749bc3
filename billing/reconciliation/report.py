"""All checks in one list: each is a function that returns sentences, none stops the others."""

from dataclasses import dataclass

from billing.reconciliation.convergence import pending_adjustments
from billing.reconciliation.documents import check_documents
from billing.reconciliation.invoices import check_audit, check_invoices, check_numbers, check_periods
from billing.reconciliation.put_away import check_put_away, unchecked
from billing.reconciliation.usage import check_corrections, check_events, check_rollups

_CHECKS = (
    check_events,
    check_put_away,
    check_corrections,
    check_rollups,
    check_invoices,
    check_periods,
    check_numbers,
    check_audit,
)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """
    `differences` must be looked at; `pending` is work that is still to come (late usage, PDFs in the queue).

    `unchecked` is what cannot be recomputed from raw events any more, since they were put away.
    """

    differences: tuple[str, ...]
    pending: tuple[str, ...]
    unchecked: tuple[str, ...]


def reconcile() -> Reconciliation:
    """Recompute everything from raw events and check I1 to I10. Reads the whole database; writes nothing."""
    differences = [difference for check in _CHECKS for difference in check()]
    adjustments = list(pending_adjustments())
    documents = check_documents()
    differences += [pending.text for pending in adjustments if pending.is_stuck]
    differences += documents.differences
    pending = [pending.text for pending in adjustments if not pending.is_stuck] + list(documents.waiting)
    return Reconciliation(tuple(differences), tuple(pending), tuple(unchecked()))

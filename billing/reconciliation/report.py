"""All checks in one list: each is a function that returns sentences, none stops the others."""

from dataclasses import dataclass

from billing.reconciliation.convergence import compare_with_metered
from billing.reconciliation.credit_notes import check_credit_notes
from billing.reconciliation.credits import check_coupons, check_credits
from billing.reconciliation.documents import check_documents
from billing.reconciliation.invoices import check_audit, check_invoices, check_numbers, check_periods
from billing.reconciliation.payments import check_payments
from billing.reconciliation.put_away import check_put_away, unchecked
from billing.reconciliation.usage import check_corrections, check_events, check_rollups

_CHECKS = (
    check_events,
    check_put_away,
    check_corrections,
    check_rollups,
    check_invoices,
    check_credits,
    check_coupons,
    check_credit_notes,
    check_periods,
    check_numbers,
    check_payments,
    check_audit,
)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """
    `differences` must be looked at; `pending` is work that is still to come (late usage, PDFs in the queue).

    `unpriced` is usage of billed periods that no charge of its plan takes; it is on no invoice. `unchecked` is what cannot be
    recomputed from raw events any more, since they were put away.
    """

    differences: tuple[str, ...]
    pending: tuple[str, ...]
    unpriced: tuple[str, ...]
    unchecked: tuple[str, ...]


def reconcile() -> Reconciliation:
    """Recompute everything from raw events and check I1 to I10. Reads the whole database; writes nothing."""
    differences = [difference for check in _CHECKS for difference in check()]
    found = list(compare_with_metered())
    documents = check_documents()
    differences += [each.text for each in found if each.kind == "stuck"]
    differences += documents.differences
    pending = [each.text for each in found if each.kind == "pending"] + list(documents.waiting)
    unpriced = [each.text for each in found if each.kind == "unpriced"]
    return Reconciliation(tuple(differences), tuple(pending), tuple(unpriced), tuple(unchecked()))

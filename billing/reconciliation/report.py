"""All checks in one list: each is a function that returns sentences, none stops the others."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import OperationalError
from psycopg.errors import QueryCanceled

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
    recomputed from raw events any more, since they were put away. `unfinished` are the checks for which there was no time: of
    what they look at nothing is known.
    """

    differences: tuple[str, ...]
    pending: tuple[str, ...]
    unpriced: tuple[str, ...]
    unchecked: tuple[str, ...]
    unfinished: tuple[str, ...] = ()


def reconcile(*, deadline: Callable[[], bool] = lambda: False) -> Reconciliation:
    """
    Recompute everything from raw events and check I1 to I10. Reads the whole database; writes nothing.

    Begins no check after the deadline, and gives up one that the database ends (statement_timeout).
    """
    differences: list[str] = []
    pending: list[str] = []
    unpriced: list[str] = []
    unfinished: list[str] = []

    def convergence() -> None:
        for each in compare_with_metered():
            {"stuck": differences, "pending": pending, "unpriced": unpriced}[each.kind].append(each.text)

    def documents() -> None:
        found = check_documents()
        differences.extend(found.differences)
        pending.extend(found.waiting)

    steps = [(check.__name__, lambda check=check: differences.extend(check())) for check in _CHECKS]
    for name, step in [*steps, ("compare_with_metered", convergence), ("check_documents", documents)]:
        if deadline() or not _finished(step):
            unfinished.append(name)
    return Reconciliation(tuple(differences), tuple(pending), tuple(unpriced), tuple(unchecked()), tuple(unfinished))


def _finished(step: Callable[[], None]) -> bool:
    try:
        step()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return False
        raise
    return True

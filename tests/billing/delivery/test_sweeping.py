"""What is to be delivered and has no job any more is given one; what has one is left alone."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.jobs import wait_seconds
from billing.delivery.sweeping import enqueue_forgotten, with_a_job
from billing.models import Delivery, Invoice
from tests.billing.builders import sql
from tests.billing.desks import invoice_of, keep_document, small_books

pytestmark = pytest.mark.django_db


def final_invoice() -> Invoice:
    return invoice_of(small_books())


def jobs() -> list[tuple[str, dict[str, int]]]:
    return list(ProcrastinateJob.objects.filter(status="todo").order_by("id").values_list("task_name", "args"))


def test_what_has_a_job_is_left_alone_whatever_its_name() -> None:
    invoice = final_invoice()
    assert with_a_job() == {("invoice_id", invoice.pk)}
    assert enqueue_forgotten() == 0
    sql("UPDATE procrastinate_jobs SET task_name = 'billing.deliver_invoice'")
    assert (enqueue_forgotten(), len(jobs())) == (0, 1)


def test_a_job_that_was_given_up_is_replaced_once() -> None:
    invoice = final_invoice()
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    assert (enqueue_forgotten(), enqueue_forgotten()) == (1, 0)
    assert jobs() == [("billing.deliver", {"invoice_id": invoice.pk})]


@pytest.mark.parametrize(
    ("status", "count"), [("queued", 1), ("sending", 1), ("sent", 0), ("held", 0), ("failed", 0), ("cancelled", 0)]
)
def test_only_what_is_still_to_be_sent_is_taken_up(status: str, count: int) -> None:
    keep_document(final_invoice())
    Delivery.objects.update(status=status)
    sql("DELETE FROM procrastinate_jobs")
    assert (enqueue_forgotten(), len(jobs())) == (count, count)


def test_waits_grow_threefold_and_differ_from_each_other() -> None:
    for attempts, least, most in ((0, 3, 4), (1, 7, 11), (4, 183, 304), (10, 132_861, 221_434)):
        waits = [wait_seconds(attempts) for _time in range(200)]
        assert least <= min(waits) <= max(waits) <= most
    assert len({wait_seconds(8) for _time in range(50)}) > 10

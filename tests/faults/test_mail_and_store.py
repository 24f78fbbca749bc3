"""S3 and SES fail three requests of ten, in every way there is: nothing is lost, and nothing is sent twice."""

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from billing.delivery.deliver import DeliveryIncomplete, deliver
from billing.delivery.documents import read_document
from billing.delivery.mails import reference
from billing.models import Delivery, Document, Invoice
from billing.reconciliation.documents import check_documents
from tests.billing.builders import at, bill, make_catalog, make_customer, subscribe
from tests.faults.mail_and_store import Fate, Provider, Proxy, nobody, serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credentials", "documents", "renderings")]

NOW = at("2026-02-02")
INVOICES = 14
BUCKET = "squill-documents"
# Three of ten fail.
STORE_PLAN: list[Fate] = ["pass", "busy", "pass", "pass", "lost", "pass", "pass", "cut", "pass", "pass"]
MAIL_PLAN: list[Fate] = [
    "pass",
    "busy",
    "pass",
    "lost",
    "pass",
    "throttled",
    "pass",
    "cut",
    "pass",
    "pass",
    "pass",
    "busy",
    "pass",
]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    # Between its own tries the client of S3 waits for seconds, which prove nothing here.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_arguments: 0)


@pytest.fixture
def store() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


def client_of(address: tuple[str, int]) -> object:
    return boto3.client("s3", endpoint_url="http://{}:{}".format(*address))


def use(settings: Settings, *, store: tuple[str, int], provider: tuple[str, int]) -> None:
    """Have documents and mail go there, by the clients that production uses."""
    options = {"bucket_name": BUCKET, "file_overwrite": False, "endpoint_url": "http://{}:{}".format(*store)}
    backend = {"BACKEND": "billing.delivery.storage.DocumentStorage", "OPTIONS": options}
    settings.STORAGES = dict(settings.STORAGES) | {"documents": backend}
    settings.EMAIL_BACKEND = "billing.delivery.ses.Backend"
    settings.AWS_SES_REGION_ENDPOINT_URL = "http://{}:{}".format(*provider)


def final_invoices(count: int = 1) -> list[Invoice]:
    make_catalog()
    for number in range(count):
        subscribe(make_customer(f"customer-{number}"))
    bill("2026-02-01")
    return list(Invoice.objects.order_by("pk"))


def work(invoices: list[Invoice]) -> int:
    """Take up each job once, as the queue does; return how many are to come back."""
    to_come = 0
    for invoice in invoices:
        try:
            deliver(invoice, now=NOW)
        except Exception:  # noqa: BLE001 - what the queue takes as a reason to try again
            to_come += 1
    return to_come


def references(*statuses: str) -> set[str]:
    found = Delivery.objects.filter(status__in=statuses).select_related("invoice")
    # A mail that was sent has another reference the next time; this is the one that it went out under.
    return {f"{each.invoice.public_id}.{each.kind}.{each.pk}" for each in found if each.invoice}


def test_three_failures_in_ten_lose_nothing_and_double_nothing(settings: Settings, store: tuple[str, int]) -> None:
    invoices = final_invoices(INVOICES)
    client_of(store).create_bucket(  # type: ignore[attr-defined]
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    provider = Provider()
    with serving(provider.handler()) as provider_at:
        # At first nobody answers at all.
        use(settings, store=store, provider=nobody())
        assert work(invoices[:5]) == 5
        assert references("queued") == {*references("queued", "sent", "held", "failed")}
        assert set(Delivery.objects.filter(attempts=1).values_list("last_error", flat=True)) != {""}

        mail_proxy, store_proxy = Proxy(provider_at, MAIL_PLAN), Proxy(store, STORE_PLAN)
        with serving(mail_proxy.handler()) as mail_at, serving(store_proxy.handler()) as store_at:
            use(settings, store=store_at, provider=mail_at)
            rounds = 0
            while work(invoices):
                rounds += 1
                assert rounds < 12  # as many as a job has tries
    # Nothing waits or was given up: each notice was sent, or its answer was lost.
    assert references("sent", "held") == references("sent", "held", "queued", "sending", "failed", "cancelled")
    assert len(references("sent", "held")) == INVOICES
    # Nothing went out twice, and what was sent did go out.
    assert len(provider.taken) == len(set(provider.taken))
    assert references("sent") <= set(provider.taken)
    # Held are exactly those whose answer was lost: `cut` did not go out, `lost` did, and nobody could tell them apart.
    unanswered = mail_proxy.fates.count("cut") + mail_proxy.fates.count("lost")
    assert len(references("held")) == unanswered > 0
    assert len(references("held") & set(provider.taken)) == mail_proxy.fates.count("lost") > 0
    assert {"busy", "throttled", "cut", "lost"} <= set(mail_proxy.fates)
    # Every invoice has its one document, and the store no other file.
    use(settings, store=store, provider=nobody())
    assert [read_document(each) for each in Document.objects.order_by("invoice__pk")] == [
        f"%PDF-1.7 {invoice.number}".encode() for invoice in invoices
    ]
    stored = client_of(store).list_objects_v2(Bucket=BUCKET)["Contents"]  # type: ignore[attr-defined]
    assert {each["Key"] for each in stored} == set(Document.objects.values_list("storage_key", flat=True))
    assert {"busy", "cut", "lost"} <= set(store_proxy.fates)
    found = check_documents()
    assert found.differences == ()
    assert [text.split(":")[0].endswith("may have been sent to one recipient") for text in found.waiting] == [True] * unanswered


def test_a_provider_that_answers_too_late_is_not_asked_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is read, and never answered: the client gives up waiting, once."""
    invoice = final_invoices()[0]
    asked: list[bytes] = []
    provider = Provider()

    class Slow(provider.handler()):  # type: ignore[misc]  # a class that is made at run time
        def do_POST(self) -> None:
            asked.append(self.body())
            self.connection.recv(1)  # until the other side hangs up

    monkeypatch.setattr("billing.delivery.ses.CLIENT.read_timeout", 0.3)
    with serving(Slow) as provider_at:
        settings.EMAIL_BACKEND = "billing.delivery.ses.Backend"
        settings.AWS_SES_REGION_ENDPOINT_URL = "http://{}:{}".format(*provider_at)
        deliver(invoice, now=NOW)
        deliver(invoice, now=NOW)
    delivery = Delivery.objects.get(invoice=invoice)
    assert (len(asked), delivery.status, delivery.attempts) == (1, "held", 1)
    assert "ReadTimeoutError" in delivery.last_error


def test_an_answer_of_refusal_is_kept_and_tried_again_with_the_same_reference(settings: Settings) -> None:
    invoice = final_invoices()[0]
    provider = Provider()
    with serving(provider.handler()) as provider_at:
        proxy = Proxy(provider_at, ["throttled", "pass"])
        with serving(proxy.handler()) as mail_at:
            settings.EMAIL_BACKEND = "billing.delivery.ses.Backend"
            settings.AWS_SES_REGION_ENDPOINT_URL = "http://{}:{}".format(*mail_at)
            expected = reference(Delivery.objects.get(invoice=invoice))
            with pytest.raises(DeliveryIncomplete, match="TooManyRequestsException"):
                deliver(invoice, now=NOW)
            deliver(invoice, now=NOW)
    delivery = Delivery.objects.get(invoice=invoice)
    assert (delivery.status, delivery.attempts, delivery.message_id) == ("sent", 2, "ses-1")
    assert (provider.taken, proxy.fates) == ([expected], ["throttled", "pass"])

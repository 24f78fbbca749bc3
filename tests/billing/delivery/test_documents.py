"""I10: one PDF an invoice, stored once, and never handed out when its bytes are not the ones that were drawn."""

import hashlib
import io
import runpy
from pathlib import Path

import boto3
import moto
import pypdf
import pytest
from botocore.exceptions import ClientError
from pytest_django import Settings

from billing.delivery.documents import DocumentDamaged, documents_storage, ensure_document, read_document
from billing.models import Document, Invoice
from billing.reconciliation.documents import check_documents
from tests.billing.builders import at, bill, invoices, make_catalog, make_customer, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db

LATER = at("2026-02-02")


def final_invoice(*, finalize: bool = True) -> Invoice:
    make_catalog()
    subscribe(make_customer())
    bill("2026-02-01", finalize=finalize)
    return invoices()[0]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_real_pdf_is_stored_under_the_number_and_its_hash(documents: Path) -> None:
    document = ensure_document(final_invoice(), now=LATER)
    (name,) = files(documents)
    content = (documents / name).read_bytes()
    assert name == f"invoices/2026/INV-000001-{hashlib.sha256(content).hexdigest()}.pdf" == document.storage_key
    assert (document.sha256, document.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (document.rendered_at, document.renderer[:10]) == (LATER, "weasyprint")
    assert "INV-000001" in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert read_document(document) == content


def test_the_second_call_draws_nothing(documents: Path, renderings: list[str]) -> None:
    invoice = final_invoice()
    first = ensure_document(invoice, now=LATER)
    again = ensure_document(invoice, now=at("2027-01-01"))
    assert (again.pk, again.rendered_at, renderings) == (first.pk, LATER, ["INV-000001"])
    assert len(files(documents)) == Document.objects.count() == 1


def test_a_draft_has_no_document(documents: Path) -> None:
    draft = final_invoice(finalize=False)
    with pytest.raises(ValueError, match="finalise it first"):
        ensure_document(draft, now=LATER)
    assert (files(documents), Document.objects.count()) == ([], 0)


def test_a_write_that_was_cut_off_is_written_anew(documents: Path, renderings: list[str]) -> None:
    invoice = final_invoice()
    whole = b"%PDF-1.7 INV-000001"
    key = f"invoices/2026/INV-000001-{hashlib.sha256(whole).hexdigest()}.pdf"
    (documents / key).parent.mkdir(parents=True)
    (documents / key).write_bytes(whole[:5])
    document = ensure_document(invoice, now=LATER)
    assert (document.storage_key, files(documents), read_document(document)) == (key, [key], whole)


def test_a_changed_file_is_not_handed_out_and_is_named(documents: Path, renderings: list[str]) -> None:
    document = ensure_document(final_invoice(), now=LATER)
    assert check_documents().differences == ()
    path = documents / document.storage_key
    path.chmod(0o600)
    path.write_bytes(b"%PDF-1.7 INV-000002")
    with pytest.raises(DocumentDamaged, match="does not have the hash"):
        read_document(document)
    (difference,) = check_documents().differences
    assert difference.startswith("I10 invoice INV-000001: ")
    path.unlink()
    (difference,) = check_documents().differences
    assert difference == f"I10 invoice INV-000001: the file {document.storage_key} is not there"


@pytest.mark.django_db(transaction=True)
def test_several_at_once_make_one_document(documents: Path, renderings: list[str]) -> None:
    invoice = final_invoice()
    in_threads(*[lambda: ensure_document(invoice, now=LATER).pk] * 4)
    assert Document.objects.count() == 1
    assert read_document(Document.objects.get()) == b"%PDF-1.7 INV-000001"


def test_with_a_bucket_named_documents_lie_on_s3(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, renderings: list[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    # The branch of the settings that SQUILL_DOCUMENTS_BUCKET chooses, read by a fresh import.
    settings.STORAGES = storages_of_a_deployment(monkeypatch, "squill-documents")
    with moto.mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket="squill-documents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        document = ensure_document(final_invoice(), now=LATER)
        assert type(documents_storage()).__name__ == "DocumentStorage"
        (stored,) = client.list_objects_v2(Bucket="squill-documents")["Contents"]
        assert stored["Key"] == f"documents/{document.storage_key}"
        assert client.head_object(Bucket="squill-documents", Key=stored["Key"])["ServerSideEncryption"] == "AES256"
        assert read_document(document) == b"%PDF-1.7 INV-000001"
        client.delete_object(Bucket="squill-documents", Key=stored["Key"])
        assert "is not there" in check_documents().differences[0]
        with pytest.raises(ClientError):
            client.head_object(Bucket="squill-documents", Key=stored["Key"])


def storages_of_a_deployment(monkeypatch: pytest.MonkeyPatch, bucket: str) -> dict[str, object]:
    monkeypatch.setenv("SQUILL_DOCUMENTS_BUCKET", bucket)
    found: dict[str, object] = runpy.run_path(str(Path(__file__).parents[3] / "squill" / "settings.py"))["STORAGES"]
    return found

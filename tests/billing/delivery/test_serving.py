"""A kept PDF is handed out as it was rendered, or not at all; on S3 by a link that ends."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import moto
import pytest
from django.test import RequestFactory
from pytest_django import Settings

from billing.delivery.documents import ensure_document
from billing.delivery.serving import DocumentUnavailable, serve_document
from billing.models import Document
from tests.billing.builders import at
from tests.billing.desks import invoice_of, keep_document, small_books

pytestmark = pytest.mark.django_db
REQUEST = RequestFactory().get("/")


def kept() -> Document:
    return keep_document(invoice_of(small_books()))


def test_from_disk_it_comes_with_its_hash_and_name(documents: Path) -> None:
    document = kept()
    answer = serve_document(document, filename="INV-1.pdf", request=REQUEST, as_attachment=True)
    assert (answer.status_code, answer["Content-Type"], answer["ETag"]) == (200, "application/pdf", f'"{document.sha256}"')
    assert (answer["Content-Disposition"], answer["Cache-Control"]) == ('attachment; filename="INV-1.pdf"', "private, no-cache")
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = RequestFactory().get("/", HTTP_IF_NONE_MATCH=answer["ETag"])
    assert serve_document(document, filename="INV-1.pdf", request=again).status_code == 304


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_file_that_was_changed_or_is_gone_is_not_handed_out(documents: Path, damage: str) -> None:
    document = kept()
    path = documents / document.storage_key
    path.write_bytes(b"%PDF-1.7 other") if damage == "change" else path.unlink()
    with pytest.raises(DocumentUnavailable, match="it is not handed out"):
        serve_document(document, filename="INV-1.pdf", request=REQUEST)


def test_from_s3_a_link_leads_to_it_for_five_minutes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, renderings: list[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    options = {"bucket_name": "squill-documents", "location": "documents", "file_overwrite": False, "querystring_expire": 300}
    settings.STORAGES = dict(settings.STORAGES) | {
        "documents": {"BACKEND": "billing.delivery.storage.DocumentStorage", "OPTIONS": options}
    }
    with moto.mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket="squill-documents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        document = ensure_document(invoice_of(small_books()), now=at("2026-02-02"))
        answer = serve_document(document, filename="INV-000001.pdf", request=REQUEST)
    assert (answer.status_code, answer["Cache-Control"], answer.content) == (302, "no-store", b"")
    link = urlsplit(answer["Location"])
    query = parse_qs(link.query)
    assert link.path.endswith(f"documents/{document.storage_key}")
    assert query["response-content-disposition"] == ['inline; filename="INV-000001.pdf"']
    assert query["response-content-type"] == ["application/pdf"]
    assert {"300"} & {*query.get("X-Amz-Expires", []), "300" if "Expires" in query else ""}

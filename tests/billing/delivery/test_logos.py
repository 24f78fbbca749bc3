import hashlib

import pytest

from billing.delivery.logos import logo_of
from billing.models import BrandAsset
from tests.billing.builders import at
from tests.billing.delivery.rendering.snapshots import snapshot

pytestmark = pytest.mark.django_db

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
DIGEST = hashlib.sha256(DRAWING).hexdigest()


def test_the_logo_is_the_one_that_the_snapshot_names() -> None:
    BrandAsset.objects.create(sha256=DIGEST, media_type="image/svg+xml", content=DRAWING, added_at=at("2026-01-01"))

    assert logo_of(snapshot(logo_sha256=DIGEST)) == DRAWING
    assert logo_of(snapshot()) is None


def test_a_logo_that_is_gone_is_an_error_not_a_document_without_it() -> None:
    with pytest.raises(BrandAsset.DoesNotExist):
        logo_of(snapshot(logo_sha256=DIGEST))

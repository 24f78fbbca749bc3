"""The logo of an old document: found by the hash that its snapshot names."""

from billing.invoicing.snapshot import InvoiceSnapshot
from billing.models import BrandAsset


def logo_of(snapshot: InvoiceSnapshot) -> bytes | None:
    """
    Return the logo's bytes, or None where the snapshot names none. One query where it does.

    :raises BrandAsset.DoesNotExist: if the picture is gone, which the database does not allow while a seller has it
    """
    if not snapshot.logo_sha256:
        return None
    return bytes(BrandAsset.objects.get(sha256=snapshot.logo_sha256).content)

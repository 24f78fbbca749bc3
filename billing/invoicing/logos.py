"""The pictures that documents print as their sender's mark, kept under the hash of their bytes."""

import hashlib
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.logo_files import LogoFile, LogoRefused, read_logo
from billing.models import BrandAsset


@transaction.atomic
def keep_logo(*, content: bytes, now: datetime) -> BrandAsset:
    """
    Keep a picture under the hash of its bytes; the same bytes again are the same row.

    :raises LogoRefused: as check_logo does
    """
    file = check_logo(content)
    digest = hashlib.sha256(content).hexdigest()
    asset, _created = BrandAsset.objects.get_or_create(
        sha256=digest, defaults={"media_type": file.media_type, "content": content, "added_at": now}
    )
    return asset


def check_logo(content: bytes) -> LogoFile:
    """
    Return what is printed of a file, if that is all of it: nobody is to find out from an invoice that half a logo is missing.

    :raises LogoRefused: saying what is wrong with it, or what would not be printed
    """
    file = read_logo(content)
    if file.taken_away:
        message = _("This cannot be printed: %(parts)s. Turn text and the like into paths, and save it as plain SVG.")
        raise LogoRefused(message % {"parts": ", ".join(file.taken_away[:5])})
    return file

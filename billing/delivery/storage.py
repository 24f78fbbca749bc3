"""Documents on S3, through django-storages; settings.STORAGES names this class where a bucket is given."""

from typing import Any, Final

from botocore.config import Config
from storages.backends.s3 import S3Storage

# Reading and writing the same bytes under the same name can be repeated, so the client may try again by itself; but a store that
# hangs must not hold a worker for minutes: the queue tries again later.
CLIENT: Final = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"})


class DocumentStorage(S3Storage):  # type: ignore[misc]  # it carries no types
    """Waits seconds for an answer, not minutes."""

    def get_default_settings(self) -> dict[str, Any]:
        """Return the storage's own defaults with our client."""
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {"client_config": CLIENT}

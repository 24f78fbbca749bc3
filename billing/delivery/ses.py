"""Mail through SES v2, by django-ses; settings.EMAIL_BACKEND names this class where SQUILL_MAIL is ses."""

import threading
from typing import Any, Final

import boto3
from botocore.config import Config
from django.conf import settings
from django_ses import SESBackend

# One request, one mail: were the client to repeat a request whose answer it did not get, the mail could go out twice unseen. What
# may be sent again is decided by billing.delivery.outcomes alone.
CLIENT: Final = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1, "mode": "standard"})


# Making a session reads AWS's descriptions of SES, a sixth of a second each time; a session belongs to one thread.
_kept = threading.local()


class Backend(SESBackend):  # type: ignore[misc]  # it carries no types
    """
    Sends each mail with one request that is never repeated, in the region that boto3 finds.

    The provider's id of a mail is left in its `extra_headers` under `message_id`.
    """

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently, aws_config=CLIENT, **options)
        # django-ses takes us-east-1 where no setting of its own says otherwise.
        self._region_name = boto3.Session().region_name
        self._endpoint_url = getattr(settings, "AWS_SES_REGION_ENDPOINT_URL", None)

    def create_session(self) -> boto3.Session:
        """Return this thread's session. The connection is new for each batch: one that was kept open may be half closed."""
        session: boto3.Session | None = getattr(_kept, "session", None)
        if session is None:
            session = _kept.session = super().create_session()
        return session

"""Mail on a laptop: a folder of messages that any mail program opens."""

import os
import re
from collections.abc import Sequence
from email.message import EmailMessage as WireMessage
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from squill.lib import clock

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9.@-]+")


class FolderBackend(BaseEmailBackend):
    """
    Write every message into settings.EMAIL_FILE_PATH as one .eml file, named by the time and its Message-ID.

    A file appears complete (it is renamed into place), so that whoever watches the folder never reads half a message.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages and return how many there were; one without recipients is not sent."""
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        addressed = [message for message in email_messages if message.recipients()]
        for message in addressed:
            _write(folder, message.message())
        return len(addressed)


def _write(folder: Path, message: WireMessage) -> None:
    written_at = clock.now().strftime("%Y%m%dT%H%M%S.%f")
    message_id = _NOT_IN_A_NAME.sub("", str(message["Message-ID"]))[:150]
    path = folder / f"{written_at}-{message_id}.eml"
    part = folder / f".{path.name}.part"
    # Sign-in links are secrets: readable by the owner alone.
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    part.rename(path)

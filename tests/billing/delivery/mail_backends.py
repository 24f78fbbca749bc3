"""Mail backends that misbehave."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Refusing(BaseEmailBackend):
    """A provider that does not let us in."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise ConnectionRefusedError("nobody is there")


class HangingUp(BaseEmailBackend):
    """A provider that hangs up in the middle: nobody knows whether it took the mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise ConnectionResetError("the provider hung up")


class Answering(BaseEmailBackend):
    """A provider that gives every message an id of its own, as SES does."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            message.extra_headers["message_id"] = "provider-7"
        return len(email_messages)

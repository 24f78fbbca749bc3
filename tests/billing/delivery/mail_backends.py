"""Mail backends that misbehave."""

import smtplib
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class Refusing(BaseEmailBackend):
    """A provider that takes nothing."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise smtplib.SMTPServerDisconnected("the provider hung up")


class Answering(BaseEmailBackend):
    """A provider that gives every message an id of its own, as SES does."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            message.extra_headers["message_id"] = "provider-7"
        return len(email_messages)

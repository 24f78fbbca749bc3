from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from billing.delivery.reminding import send_reminders
from billing.delivery.sweeping import enqueue_forgotten
from squill.lib import clock


class Command(BaseCommand):
    help = (
        "Queue the reminders of open invoices whose day has come, by the reminder days of their billing entity, and whatever "
        "else is to be delivered and has no job any more; a worker sends them. Each is sent once, however often this runs. For "
        "cron where there is no AWS: once an hour is right."
    )

    def handle(self, **_options: Any) -> None:
        count = send_reminders(clock.now())
        enqueue_forgotten()
        self.stdout.write(ngettext("%(count)d reminder is queued.", "%(count)d reminders are queued.", count) % {"count": count})

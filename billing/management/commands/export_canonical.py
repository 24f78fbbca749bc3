import json
from typing import Any

from django.core.management.base import BaseCommand

from billing.reconciliation.canonical import export_canonical


class Command(BaseCommand):
    help = "Print the books as sorted JSON without surrogate ids and wall-clock times: equal inputs give equal bytes."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(json.dumps(export_canonical(), indent=1, sort_keys=True, ensure_ascii=False))

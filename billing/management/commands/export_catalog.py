import argparse
import json
from typing import Any

import yaml
from django.core.management.base import BaseCommand

from billing.catalog.specs import export_catalog


class Command(BaseCommand):
    help = (
        "Print every meter and all that is published (plans in every currency, customers' own versions, add-ons) as the file "
        "that apply_catalog reads; applying it changes nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="JSON instead of YAML")

    def handle(self, **options: Any) -> None:
        document = export_catalog()
        if options["json"]:
            self.stdout.write(json.dumps(document, indent=1, ensure_ascii=False))
        else:
            self.stdout.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120), ending="")

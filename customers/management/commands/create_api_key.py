from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.api_keys import ApiKeyError, issue_api_key, keep_api_key
from customers.models import Customer, Scope
from squill.lib import clock
from squill.lib.actor import system


class Command(BaseCommand):
    """Make an API key and print it, this one time, alone on the standard output."""

    help = "Make an API key. Its text is printed once, alone on standard output, and cannot be had again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the system that will use it")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, required=True, help="what it may do; give it once for each scope"
        )
        parser.add_argument("--customer", metavar="EXTERNAL_ID", help="narrow the key to this customer's data")
        parser.add_argument("--expires-at", metavar="INSTANT", type=clock.parse_instant, help="such as 2027-01-01T00:00:00Z")

        parser.add_argument(
            "--kept-as",
            metavar="PREFIX:HASH",
            help="keep a key whose text was made elsewhere, and print none: where output is logged (python -m infra.access)",
        )

    def handle(
        self,
        *,
        name: str,
        scope: list[str],
        customer: str | None,
        expires_at: datetime | None,
        kept_as: str | None,
        **_options: Any,
    ) -> None:
        """
        Make the key.

        :raises CommandError: if there is no such customer, or the key cannot be made so
        """
        narrowed = None
        if customer is not None:
            narrowed = Customer.objects.filter(external_id=customer).first()
            if narrowed is None:
                raise CommandError(f"there is no customer {customer!r}")
        actor, now = system("create_api_key"), clock.now()
        try:
            if kept_as is not None:
                keep_api_key(
                    kept_as=kept_as,
                    name=name,
                    scopes=scope,
                    customer=narrowed,
                    expires_at=expires_at,
                    actor=actor,
                    now=now,
                )
                self.stderr.write(f"{name}: kept")
                return
            api_key, secret = issue_api_key(
                name=name, scopes=scope, customer=narrowed, expires_at=expires_at, actor=actor, now=now
            )
        except ApiKeyError as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"{api_key.name}: keep this key safe, it is shown this once", self.style.NOTICE)
        self.stdout.write(secret)

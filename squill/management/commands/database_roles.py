"""`manage.py database_roles`: a role for the application that owns no table and may do only what the application does."""

import re
import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from squill.db.roles import RoleRefused, bring_up_to_date

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Command(BaseCommand):
    help = (
        "Make the role that the application signs in with, or bring it up to date: it owns nothing, reads and writes what the "
        "application writes, and can neither change tables nor empty them nor switch triggers off. Run it as the role that "
        "migrates, after every migration; running it again changes nothing. Prints what the role may do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--app-role", required=True, help="the name of the role, such as squill_app")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read its password from the first line of standard input; without it the password stays as it is",
        )

    def handle(self, *args: Any, app_role: str, password_stdin: bool, **options: Any) -> None:
        if not _NAME.fullmatch(app_role):
            raise CommandError(_("--app-role: write small letters, digits and underscores, such as squill_app"))
        password = sys.stdin.readline().rstrip("\n") if password_stdin else None
        if password_stdin and not password:
            raise CommandError(_("--password-stdin: there is no password on standard input"))
        try:
            with transaction.atomic():
                for line in bring_up_to_date(app_role, password):
                    self.stdout.write(line)
        except RoleRefused as refused:
            raise CommandError(str(refused)) from None
        except DatabaseError as error:
            raise CommandError(_("the database refused, and nothing was changed: %(error)s") % {"error": error}) from None

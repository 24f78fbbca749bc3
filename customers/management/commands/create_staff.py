import secrets
from typing import Any

from django.contrib.auth.hashers import identify_hasher
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from customers import audit
from customers.models import User
from squill.lib import clock
from squill.lib.actor import system


class Command(BaseCommand):
    """Let the first people in: whoever may sign in to the finance desk can let the others in there."""

    help = (
        "Make a person who may do everything in the finance desk. The password is made up and printed once, alone on standard "
        "output, unless its hash is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--password-hash",
            metavar="HASH",
            help="as Django keeps it, of a password made elsewhere: where output is logged (python -m infra.access)",
        )

    def handle(self, *, email: str, password_hash: str | None, **_options: Any) -> None:
        """
        Make the person.

        :raises CommandError: for an address that is none or is known, or a hash that Django does not know
        """
        email = email.strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email!r} is no e-mail address") from None
        if User.objects.filter(email=email).exists():
            raise CommandError(f"there is a user {email} already: change what they may do in the finance desk")
        password = None if password_hash else secrets.token_urlsafe(12)
        with transaction.atomic():
            user = User.objects.create_superuser(email, password)
            if password_hash:
                _take_hash(user, password_hash)
            after = {"email": email, "is_staff": True, "is_superuser": True}
            actor = system("create_staff")
            audit.record(action="user.created", object_type="user", object_id=email, actor=actor, now=clock.now(), after=after)
        self.stderr.write(f"{email} may sign in to the finance desk")
        if password:
            self.stdout.write(password)


def _take_hash(user: User, password_hash: str) -> None:
    try:
        identify_hasher(password_hash)
    except ValueError:
        raise CommandError("the hash is none of those that Django makes (make_password)") from None
    user.password = password_hash
    user.save(update_fields=["password"])

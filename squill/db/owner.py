"""What only the owner of the tables may do, which the application is not where it is deployed (I5): migrate, take months out."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, transaction

from squill.aws import secrets
from squill.db.roles import bring_up_to_date


def migrate() -> list[str]:
    """
    Bring the tables up to date, then the role that the application signs in with; return what that role may do, a line each.

    The tables belong to the account of SQUILL_DATABASE_OWNER_SECRET. Where that is not set, they belong to the application's
    account, and no role is made. The role gets the name and the password of SQUILL_DATABASE_SECRET, so that a new password
    that was put there holds from now on. Can be run again, and by several at once: migrations wait for each other's locks.

    :raises squill.aws.secrets.UnreadableSecret: if one of the accounts cannot be read
    :raises squill.db.roles.RoleRefused: if the role may do so much that rights would not bind it
    """
    with as_owner() as is_another:
        call_command("migrate", interactive=False, verbosity=1)
        application = secrets.database_account(refresh=True) if is_another else None
        if application is None:
            return []
        with transaction.atomic():
            return list(bring_up_to_date(application.username, application.password))


@contextmanager
def as_owner() -> Iterator[bool]:
    """
    Have this process's connection be the owner's within the block, and say whether that is another account than before: where
    SQUILL_DATABASE_OWNER_SECRET is not set, it is the owner's already.

    :raises squill.aws.secrets.UnreadableSecret: if the account cannot be read
    """
    account = secrets.owner_account()
    if account is None:
        yield False
        return
    kept = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=account.username, PASSWORD=account.password)
    try:
        yield True
    finally:
        connection.close()
        connection.settings_dict.update(kept)

"""What goes wrong with the embedded server, said so that a person can act on it."""

from pathlib import Path

LOG_LINES_SHOWN = 15


class PostgresError(Exception):
    """The embedded server cannot do what was asked; the message says why and what to do."""


def with_log(message: str, log: Path, *, since_byte: int = 0) -> PostgresError:
    """
    Make an error that ends with the server's own last words.

    :param since_byte: where in the log this attempt began; earlier lines belong to earlier attempts
    """
    try:
        with log.open("rb") as stream:
            stream.seek(since_byte)
            lines = stream.read().decode(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    except OSError:
        lines = []
    said = "\n".join(f"    {line}" for line in lines) or "    (nothing)"
    return PostgresError(f"{message}\nThe last lines of {log}:\n{said}")

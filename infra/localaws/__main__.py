"""
Squill on a local AWS, until Ctrl-C.

    python -m infra.localaws            the stack of a stage, deployed by zappa and migrated, with nobody in it
    python -m infra.localaws --demo     with customers, usage and invoices, and somebody who may look at them
    python -m infra.localaws --bare     the local AWS alone, to deploy to by hand

All of it begins anew at each start: the database in SQUILL_HOME/aws too, which is not the one of make demo.
"""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.localaws import demo
from infra.localaws.deployment import Deployment, DeploymentError
from infra.localaws.front import Front
from infra.localaws.local_aws import LocalAws, running
from infra.localaws.visitor import Visitor
from squill import postgres
from squill.lib import clock

_DOMAIN: Final = "squill.example.com"
_ADMIN: Final = "admin@example.com"
_SCOPES: Final = ("read", "write", "events:write", "events:backfill")


def main() -> int:
    """Start what is asked for, and stop all of it in the end."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.localaws", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--demo", action="store_true", help="fill it")
    parser.add_argument("--bare", action="store_true", help="deploy nothing")
    parser.add_argument("--stage", default="dev", choices=("dev", "staging", "live"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="of the web function")
    parser.add_argument("--api-port", type=int, default=4566, help="of AWS's APIs")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = _fresh_home()
    try:
        with running(folder / "functions", api_port=given.api_port) as aws:
            _say("The local AWS is up. Whatever has these variables in its environment comes here instead of to AWS:\n")
            for name, value in aws.environment().items():
                _say(f"  export {name}={value}")
            if not given.bare:
                _deploy(aws, folder, given)
            _say("\n  Ctrl-C stops everything.")
            _show_mails(aws)
    except KeyboardInterrupt:
        _say("\nStopping …")
    except (DeploymentError, postgres.PostgresError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        postgres.stop()
    return 0


def _fresh_home() -> Path:
    """Return the folder of this start, with nothing of an earlier one. Its embedded server wins over DATABASE_URL."""
    os.environ.pop("DATABASE_URL", None)
    folder = postgres.home() / "aws"
    os.environ["SQUILL_HOME"] = str(folder)
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _deploy(aws: LocalAws, folder: Path, given: argparse.Namespace) -> None:
    stage = Deployment(aws, given.stage, folder / "stage", _DOMAIN)
    front = aws.front(function_name=f"squill-{given.stage}", stage=given.stage, port=given.port)
    _timed("the stack", stage.make_stack)
    # A browser on this machine asks for this address, and not for the domain of the stage.
    local = {"SQUILL_BASE_URL": front.url, "SQUILL_STATIC_URL": f"{front.url}/static/"}
    stage.set_variables(local | {"SQUILL_ALLOWED_HOSTS": f"{_DOMAIN},127.0.0.1,localhost", "SQUILL_COMPANY_NAME": "Tern & Tide"})
    _timed("zappa deploy of both functions, with migrations between", stage.deploy)
    _timed("SNS asks /hooks/ses", lambda: stage.make_stack(ReportsUrl=f"https://{_DOMAIN}/hooks/ses"))
    key, password = stage.make_key("local", *_SCOPES), stage.make_staff(_ADMIN)
    link = ""
    if given.demo:
        link = _fill(aws, front, key, password)
    aws.ticker.start()
    _say(f"\nSquill is deployed. The rules of {stage.jobs_stage} fire by the clock.\n")
    _say(f"  Finance desk   {front.url}/admin/\n                 {_ADMIN}  password {password}")
    _say(f"  Portal         {link or f'{front.url}/portal/'}")
    _say(f"  API            {front.url}/api/docs\n                 Authorization: Bearer {key}")
    _say(f"  Logs           {aws.folder / 'logs'}")
    _say(f"  Settings       {stage.settings_file}: zappa status {given.stage} --settings_file …")


def _fill(aws: LocalAws, front: Front, key: str, password: str) -> str:
    host = front.url.removeprefix("http://")
    demo.seed(aws, Visitor(front.url, host, key), clock.now(), lambda line: _say(f"  {line}"))
    demo.let_ana_in(Visitor(front.url, host), _ADMIN, password)
    return demo.link_in_last_mail(aws)


def _show_mails(aws: LocalAws) -> None:
    """Wait for ever, and write each mail into a file that can be opened."""
    folder = aws.folder / "mails"
    folder.mkdir(parents=True, exist_ok=True)
    shown = 0
    while True:
        for mail in aws.mailbox.sent[shown:]:
            shown += 1
            path = folder / f"{shown:04}.eml"
            path.write_bytes(mail.raw)
            _say(f"  mail to {', '.join(mail.recipients)}: {mail.message['Subject']} ({path})")
        time.sleep(1)


def _timed(what: str, work: Callable[[], object]) -> None:
    started = time.monotonic()
    work()
    _say(f"  {what}: {time.monotonic() - started:.0f} s")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

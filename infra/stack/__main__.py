"""
What a stage stands on in AWS, from the command line; infra/stack/README.md tells the order.

    python -m infra.stack validate
    python -m infra.stack create --stage dev          # or update; both make what is missing and change what differs
    python -m infra.stack settings --stage dev
"""

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError

from infra.stack import making, settings, templates


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0 only if it succeeded."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except making.StackError as error:
        print(error, file=sys.stderr)
    except BotoCoreError as error:  # no credentials, no region, no way to AWS: its own words say so
        print(f"AWS cannot be asked: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.stack", description="The stack that a stage of Squill stands on in AWS."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    validate = commands.add_parser("validate", help="have cfn-lint read the templates")
    validate.set_defaults(run=_validate)
    make = commands.add_parser("create", aliases=["update"], help="make the stack, or change it to what the templates say")
    make.add_argument("--parameters", type=Path, default=templates.FOLDER / "parameters.json", help="default: %(default)s")
    make.set_defaults(run=_make)
    write = commands.add_parser("settings", help="write the stack's outputs into zappa_settings.json")
    write.add_argument("--file", type=Path, default=settings.ZAPPA_SETTINGS, help="default: %(default)s")
    write.set_defaults(run=_write)
    for command in (make, write):
        command.add_argument("--stage", choices=templates.STAGES, required=True)
        command.add_argument("--region", help="default: the one that AWS_REGION or the profile names")
    return parser


def _validate(_given: argparse.Namespace) -> int:
    return 0 if templates.is_valid() else 1


def _make(given: argparse.Namespace) -> int:
    parameters = making.read_parameters(given.parameters, given.stage)
    for name, value in making.apply(given.stage, parameters, region=given.region).items():
        print(f"{name}: {value}")
    return 0


def _write(given: argparse.Namespace) -> int:
    changed = settings.write(given.stage, making.outputs(given.stage, region=given.region), file=given.file)
    for name in changed:
        print(f"changed {name}")
    print(f"{given.file.name}: {len(changed)} values of {given.stage} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

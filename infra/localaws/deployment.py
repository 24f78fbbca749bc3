"""
Squill on the local AWS, made by the commands that make it on the real one: infra.stack, the zappa CLI, infra.access.

Only the account differs: a network that moto has from the start, and a settings file of its own, so that the checkout's stays.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.localaws import ACCOUNT
from infra.localaws.local_aws import LocalAws
from infra.stack.templates import BASE, stack_name

CHECKOUT: Final = Path(__file__).resolve().parents[2]
_NOT_OF_A_DEPLOYER: Final = ("AWS_", "SQUILL_", "DATABASE_", "DJANGO_")
_CERTIFICATE: Final = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"


class DeploymentError(Exception):
    """A command failed; the message has what it said."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stage on a local AWS, with the folder of its parameters and settings."""

    aws: LocalAws
    stage: str
    folder: Path
    domain: str
    # Of both functions, instead of what the stack's outputs say.
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def settings_file(self) -> Path:
        return self.folder / "zappa_settings.json"

    @property
    def jobs_stage(self) -> str:
        return f"{self.stage}_jobs"

    def make_stack(self, **parameters: Any) -> None:
        """Make the stacks, or change them, and write their outputs into the settings of zappa."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "parameters.json"
        file.write_text(json.dumps({self.stage: self._network() | self._names() | parameters}))
        self._run("infra.stack", "create", "--stage", self.stage, "--parameters", str(file))
        if not self.settings_file.exists():
            shutil.copy(CHECKOUT / "zappa_settings.json", self.settings_file)
        self._run("infra.stack", "settings", "--stage", self.stage, "--file", str(self.settings_file))
        self.set_variables({})

    def set_variables(self, variables: Mapping[str, str]) -> None:
        """Change variables of both functions in zappa's settings; they hold from the next deploy or update on."""
        self.variables.update(variables)
        settings = json.loads(self.settings_file.read_text())
        settings[self.stage]["aws_environment_variables"] |= self.variables
        self.settings_file.write_text(json.dumps(settings, indent=2))

    def deploy(self) -> None:
        """Deploy the jobs function, migrate the database with it, and then the web function."""
        self.zappa("deploy", self.jobs_stage)
        self.zappa("invoke", self.jobs_stage, "squill.entrypoints.migrate")
        self.zappa("deploy", self.stage)

    def zappa(self, *words: str) -> str:
        """
        Run the zappa CLI with these words and return what it said.

        :raises DeploymentError: if it fails
        """
        return self._run("zappa.cli", *words, "--settings_file", str(self.settings_file))

    def make_key(self, name: str, *scopes: str) -> str:
        """Return a new API key."""
        words = [f"--scope={scope}" for scope in scopes]
        return self._run("infra.access", "key", self.stage, name, *words).strip().splitlines()[-1]

    def make_staff(self, email: str) -> str:
        """Return the password of a new person of the finance desk."""
        return self._run("infra.access", "staff", self.stage, email).strip().splitlines()[-1]

    def outputs(self) -> dict[str, str]:
        """Return what the stage's stack says of itself."""
        [stack] = self.aws.client("cloudformation").describe_stacks(StackName=stack_name(self.stage, BASE))["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _network(self) -> dict[str, Any]:
        ec2 = self.aws.client("ec2")
        [vpc] = ec2.describe_vpcs()["Vpcs"]
        return {
            "VpcId": vpc["VpcId"],
            "SubnetIds": [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2],
            "RouteTableIds": [table["RouteTableId"] for table in ec2.describe_route_tables()["RouteTables"]][:1],
        }

    def _names(self) -> dict[str, Any]:
        return {
            "DomainName": self.domain,
            "CertificateArn": _CERTIFICATE,
            "MailDomain": self.domain,
            "AlarmEmail": "operations@example.com",
            "DeletionProtection": self.stage == "live",
        }

    def _run(self, module: str, *words: str) -> str:
        # The environment of whoever deploys: nothing of the Squill that may run in this process.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OF_A_DEPLOYER)}
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=CHECKOUT,
            env=kept | self.aws.environment() | {"VIRTUAL_ENV": sys.prefix},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DeploymentError(f"{module} {' '.join(words)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

"""Writes into zappa_settings.json what differs by account: what a stage's stack says in its outputs."""

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra.stack.json_text import put
from infra.stack.making import StackError

CHECKOUT: Final = Path(__file__).resolve().parents[2]
ZAPPA_SETTINGS: Final = CHECKOUT / "zappa_settings.json"
# Relative to the checkout, which is what Lambda unpacks. It is public, but nobody can vouch for a copy except who fetched it.
AUTHORITIES: Final = "squill/aws/rds-ca.pem"
_HOW_TO_FETCH: Final = "fetch Amazon's bundle once, as infra/stack/README.md says"
# Stages whose database must prove who it is.
_STRICT: Final = ("live",)


def values(stage: str, outputs: Mapping[str, str], *, has_authorities: bool) -> dict[tuple[str, ...], Any]:
    """
    Return what belongs where in zappa_settings.json, as a path of members and a value.

    :raises StackError: if the stack has not all outputs: it was made by an older template
    """
    out = _Outputs(outputs)
    host = out["DomainName"]
    common: dict[str, Any] = {
        "aws_region": out["Region"],
        "s3_bucket": out["DeploymentsBucket"],
        "vpc_config": {"SubnetIds": out["SubnetIds"].split(","), "SecurityGroupIds": [out["FunctionsSecurityGroupId"]]},
        "role_arn": out["WebRoleArn"],
        "domain": host,
        "certificate_arn": out["CertificateArn"],
    }
    environment = {
        "SQUILL_SECRETS": out["ApplicationSecretArn"],
        "SQUILL_DATABASE_SECRET": out["DatabaseSecretArn"],
        # A name for both functions, but only the jobs function's role may read what it names.
        "SQUILL_DATABASE_OWNER_SECRET": out["DatabaseOwnerSecretArn"],
        "SQUILL_DATABASE_HOST": out["DatabaseHost"],
        "SQUILL_DATABASE_PORT": out["DatabasePort"],
        "SQUILL_DATABASE_NAME": out["DatabaseName"],
        "SQUILL_DATABASE_CA": AUTHORITIES if has_authorities else "",
        "SQUILL_DATABASE_SSLMODE": "verify-full" if has_authorities else "require",
        "SQUILL_DOCUMENTS_BUCKET": out["DocumentsBucket"],
        "SQUILL_FROM_EMAIL": out["Sender"],
        "SQUILL_SES_CONFIGURATION_SET": out["ConfigurationSet"],
        "SQUILL_SES_TOPIC_ARN": out["ReportsTopicArn"],
        "SQUILL_BASE_URL": f"https://{host}",
        "SQUILL_ALLOWED_HOSTS": host,
        "SQUILL_STATIC_URL": f"https://{host}/static/",
    }
    jobs = {"role_arn": out["JobsRoleArn"], "dead_letter_arn": out["DeadLettersArn"]}
    return {
        **{(stage, name): value for name, value in common.items()},
        **{(stage, "aws_environment_variables", name): value for name, value in environment.items()},
        **{(f"{stage}_jobs", name): value for name, value in jobs.items()},
    }


def write(stage: str, outputs: Mapping[str, str], *, file: Path = ZAPPA_SETTINGS, checkout: Path = CHECKOUT) -> list[str]:
    """
    Write a stage's values into the file, and return what was changed, as `stage.member`; the rest of the file stays as it is.

    :raises StackError: if the file has no such stage, if the stack lacks an output, or if a strict stage has no authorities
    """
    authorities = checkout / AUTHORITIES
    if authorities.exists():
        check_authorities(authorities)
    elif stage in _STRICT:
        raise StackError(f"{AUTHORITIES} is not there, and without it {stage} could not know its database: {_HOW_TO_FETCH}")
    text = file.read_text(encoding="utf-8")
    changed = []
    for path, value in values(stage, outputs, has_authorities=authorities.exists()).items():
        try:
            after = put(text, path, value)
        except KeyError as error:
            raise StackError(f"{file.name} has no {error.args[0]} to write {'.'.join(path)} into") from error
        if after != text:
            changed.append(".".join(path))
            text = after
    json.loads(text)
    if changed:
        file.write_text(text, encoding="utf-8")
    return changed


def check_authorities(file: Path) -> int:
    """
    Return how many of RDS's authorities the file holds.

    :raises StackError: if it holds none, such as a page of an error that was saved under its name
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except (ssl.SSLError, OSError) as error:
        raise StackError(f"{file.name} holds no certificates ({error}): {_HOW_TO_FETCH}") from error
    found = sum("Amazon RDS" in str(certificate.get("subject")) for certificate in context.get_ca_certs())
    if not found:
        raise StackError(f"{file.name} holds no authority of Amazon RDS: {_HOW_TO_FETCH}")
    return found


class _Outputs(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise StackError(f"the stack has no output {name}: bring it up to date with make aws-stack")

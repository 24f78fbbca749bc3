"""`python -m infra.stack settings` writes what the stack says where zappa reads it, and leaves everything else alone."""

import datetime
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.stack import settings, templates
from infra.stack.making import StackError

OUTPUTS = {name: f"the-{name}" for name in templates.read(templates.BASE)["Outputs"] if not name.startswith("Dkim")} | {
    "SubnetIds": "subnet-1,subnet-2",
    "DomainName": "billing.example.com",
    "DatabasePort": "5432",
}


def authority(folder: Path, *, unit: str = "Amazon RDS") -> Path:
    """Write a certificate as Amazon's bundle has them, into a checkout."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit), x509.NameAttribute(NameOID.COMMON_NAME, "Root")]
    )
    since = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since + datetime.timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / settings.AUTHORITIES
    file.parent.mkdir(parents=True)
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    copy = tmp_path / "zappa_settings.json"
    copy.write_text(settings.ZAPPA_SETTINGS.read_text())
    return copy


def test_the_values_of_a_stage_are_written(file: Path, tmp_path: Path) -> None:
    changed = settings.write("dev", OUTPUTS, file=file, checkout=tmp_path)
    written = json.loads(file.read_text())
    assert "dev.aws_environment_variables.SQUILL_DATABASE_HOST" in changed
    assert written["dev"]["s3_bucket"] == "the-DeploymentsBucket"
    assert written["dev"]["role_arn"] == "the-WebRoleArn"
    assert written["dev"]["vpc_config"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["the-FunctionsSecurityGroupId"],
    }
    assert (written["dev_jobs"]["role_arn"], written["dev_jobs"]["dead_letter_arn"]) == ("the-JobsRoleArn", "the-DeadLettersArn")
    environment = written["dev"]["aws_environment_variables"]
    assert environment["SQUILL_SECRETS"] == "the-ApplicationSecretArn"
    assert environment["SQUILL_DATABASE_SECRET"] == "the-DatabaseSecretArn"
    assert environment["SQUILL_BASE_URL"] == "https://billing.example.com"
    assert environment["SQUILL_STATIC_URL"] == "https://billing.example.com/static/"
    assert environment["SQUILL_ALLOWED_HOSTS"] == "billing.example.com"


def test_everything_else_stays_to_the_letter(file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text().replace('"memory_size": 1024', '"memory_size"  :  777'))
    before = file.read_text()
    settings.write("dev", OUTPUTS, file=file, checkout=tmp_path)
    changed = [(old, new) for old, new in zip(before.splitlines(), file.read_text().splitlines(), strict=True) if old != new]
    assert all(old.split(":")[0] == new.split(":")[0] for old, new in changed)  # a value of the same member
    assert '"memory_size"  :  777' in file.read_text()
    untouched = ("staging", "staging_jobs", "live", "live_jobs")
    assert [json.loads(file.read_text())[stage] for stage in untouched] == [json.loads(before)[stage] for stage in untouched]


def test_again_changes_nothing(file: Path, tmp_path: Path) -> None:
    settings.write("dev", OUTPUTS, file=file, checkout=tmp_path)
    text, written_at = file.read_text(), file.stat().st_mtime_ns
    assert settings.write("dev", OUTPUTS, file=file, checkout=tmp_path) == []
    assert (file.read_text(), file.stat().st_mtime_ns) == (text, written_at)


def test_live_is_refused_without_authorities_and_nothing_is_written(file: Path, tmp_path: Path) -> None:
    before = file.read_text()
    with pytest.raises(StackError, match=r"rds-ca\.pem is not there, and without it live could not know its database"):
        settings.write("live", OUTPUTS, file=file, checkout=tmp_path)
    assert file.read_text() == before


def test_with_authorities_the_database_must_prove_who_it_is(file: Path, tmp_path: Path) -> None:
    assert settings.check_authorities(authority(tmp_path)) == 1
    settings.write("live", OUTPUTS, file=file, checkout=tmp_path)
    environment = json.loads(file.read_text())["live"]["aws_environment_variables"]
    assert environment["SQUILL_DATABASE_SSLMODE"] == "verify-full"
    assert environment["SQUILL_DATABASE_CA"] == "squill/aws/rds-ca.pem"


def test_without_them_dev_is_encrypted_but_takes_whoever_answers(file: Path, tmp_path: Path) -> None:
    settings.write("dev", OUTPUTS, file=file, checkout=tmp_path)
    environment = json.loads(file.read_text())["dev"]["aws_environment_variables"]
    assert (environment["SQUILL_DATABASE_SSLMODE"], environment["SQUILL_DATABASE_CA"]) == ("require", "")


def test_a_page_of_an_error_is_no_bundle(tmp_path: Path) -> None:
    page = tmp_path / "rds-ca.pem"
    page.write_text("<html>404</html>")
    with pytest.raises(StackError, match=r"^rds-ca\.pem holds no certificates"):
        settings.check_authorities(page)


def test_another_authority_is_no_bundle_of_rds(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"^rds-ca\.pem holds no authority of Amazon RDS"):
        settings.check_authorities(authority(tmp_path, unit="Somebody else"))


def test_an_older_stack_is_named_as_such(file: Path, tmp_path: Path) -> None:
    before = file.read_text()
    outputs = {name: value for name, value in OUTPUTS.items() if name != "DeadLettersArn"}
    with pytest.raises(StackError, match=r"^the stack has no output DeadLettersArn: bring it up to date"):
        settings.write("dev", outputs, file=file, checkout=tmp_path)
    assert file.read_text() == before


def test_a_file_without_the_stage_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "zappa_settings.json"
    file.write_text('{"live": {}}')
    with pytest.raises(StackError, match=r"^zappa_settings\.json has no dev to write dev\.aws_region into$"):
        settings.write("dev", OUTPUTS, file=file, checkout=tmp_path)


def test_every_output_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody reads is not put out: all is for zappa_settings.json or for watch.yaml, or shown to the deployer."""
    read: set[str] = set()

    class Recording(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            read.add(name)
            return super().__getitem__(name)

    monkeypatch.setattr(settings, "_Outputs", Recording)
    settings.values("dev", OUTPUTS, has_authorities=True)
    declared = set(templates.read(templates.BASE)["Outputs"])
    watched = templates.read(templates.WATCH)["Parameters"].keys()
    assert declared - read - watched == {f"Dkim{part}{number}" for part in ("Name", "Value") for number in (1, 2, 3)}

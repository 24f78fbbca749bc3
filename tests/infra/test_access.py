"""What the deployed function does with it is part of tests/infra/test_end_to_end.py."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import access
from infra.localaws.local_aws import LocalAws, running
from tests.infra.localaws.deploying import deploy

# A jobs function that keeps what it is asked, and refuses one name.
KEEPING = """
import json, os
def handle(event, context):
    if "refused" in event["manage"]: raise ValueError("there is one already")
    with open(os.environ["KEPT"], "w") as stream:
        json.dump(event, stream)
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of what the jobs function of stage dev was asked; boto3 comes to a local AWS."""
    path = tmp_path / "kept"
    with running(tmp_path / "aws") as aws:
        _let_boto3_in(aws, monkeypatch)
        deploy(aws, "squill-dev-jobs", KEEPING, Environment={"Variables": {"KEPT": str(path)}})
        yield path


def test_a_key_travels_as_its_hash_alone(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert access.main(["key", "dev", "app", "--scope", "read", "--scope", "events:write"]) == 0
    key = capsys.readouterr().out.strip()
    asked = json.loads(kept.read_text())["manage"].split(" ")
    assert asked[:4] == ["create_api_key", "app", "--scope=read", "--scope=events:write"]
    assert key.startswith(asked[4].removeprefix("--kept-as=").partition(":")[0])
    assert key not in kept.read_text()


def test_a_password_travels_as_its_hash_alone(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert access.main(["staff", "dev", "anna@example.com"]) == 0
    password = capsys.readouterr().out.strip()
    asked = json.loads(kept.read_text())["manage"]
    assert asked.startswith("create_staff anna@example.com --password-hash=")
    assert password not in asked


def test_a_refusal_of_the_function_is_told_and_nothing_is_printed(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert access.main(["staff", "dev", "refused@example.com"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("squill-dev-jobs refused: there is one already\n")
    assert not kept.exists()


def test_a_stage_that_is_not_deployed_is_told(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert access.main(["key", "live", "app", "--scope", "read"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "squill-live-jobs could not be called: " in err.splitlines()[-1]


def test_a_name_with_blanks_is_refused_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        access.main(["key", "dev", "two words", "--scope", "read"])
    assert "'two words' has blanks" in capsys.readouterr().err


def _let_boto3_in(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)

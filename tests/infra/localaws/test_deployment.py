import json
from pathlib import Path

import pytest

from infra.localaws.deployment import CHECKOUT, Deployment, DeploymentError
from infra.localaws.local_aws import LocalAws


def test_a_command_that_fails_says_what_it_said(aws: LocalAws, tmp_path: Path) -> None:
    stage = Deployment(aws, "dev", tmp_path, "billing.example.com")
    stage.settings_file.write_text("{}")
    with pytest.raises(DeploymentError, match=r"zappa\.cli status dev .*: exit status \d+\n[\s\S]*'dev'"):
        stage.zappa("status", "dev")


def test_variables_are_set_in_the_stages_own_file_and_stay_set(aws: LocalAws, tmp_path: Path) -> None:
    before = (CHECKOUT / "zappa_settings.json").read_bytes()
    stage = Deployment(aws, "dev", tmp_path, "billing.example.com")
    stage.settings_file.write_bytes(before)
    stage.set_variables({"SQUILL_BASE_URL": "http://127.0.0.1:1"})
    written = json.loads(stage.settings_file.read_text())
    # As the stack's command writes it anew, with what the outputs say.
    stage.settings_file.write_bytes(before)
    stage.set_variables({})
    assert json.loads(stage.settings_file.read_text()) == written
    assert written["dev"]["aws_environment_variables"]["SQUILL_BASE_URL"] == "http://127.0.0.1:1"
    assert (CHECKOUT / "zappa_settings.json").read_bytes() == before

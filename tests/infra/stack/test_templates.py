"""The templates are what CloudFormation takes, and hold what an operator counts on: nothing lost, open or unwatched."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.stack import templates
from squill.postgres.home import CHECKOUT

BASE, WATCH = templates.read(templates.BASE), templates.read(templates.WATCH)
ALARMS = {name: about["Properties"] for name, about in WATCH["Resources"].items() if about["Type"] == "AWS::CloudWatch::Alarm"}
SOURCES = [path for package in ("squill", "billing", "usage", "customers") for path in (CHECKOUT / package).rglob("*.py")]
# What Squill writes by itself.
METRICS = {
    "EventsReceived",
    "EventsDuplicate",
    "EventsQuarantined",
    "QuarantineWaiting",
    "InvoicesDrafted",
    "InvoicesFinalized",
    "BillingRunSeconds",
    "BillingRuns",
    "BillingFailures",
    "ParkedSubscriptions",
    "ReconcileDifferences",
    "QueueAgeSeconds",
    "QueueWaiting",
    "DeliveriesFailed",
    "MailsSent",
    "DocumentsStored",
}


def of_type(resource_type: str) -> dict[str, dict[str, Any]]:
    return {name: about for name, about in BASE["Resources"].items() if about["Type"] == resource_type}


def dashboard() -> list[dict[str, Any]]:
    text = WATCH["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets: list[dict[str, Any]] = json.loads(re.sub(r"\$\{[^}]+\}", "x", text))["widgets"]
    return widgets


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("StorageEncrypted: true", "StorageIsEncrypted: true", "'StorageIsEncrypted' was unexpected"),
        ('EngineVersion: "17.11"', 'EngineVersion: "16.6"', "deprecated"),
    ],
)
def test_what_cfn_lint_would_say_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], right: str, wrong: str, told: str
) -> None:
    copy = tmp_path / "base.yaml"
    copy.write_text(templates.BASE.read_text().replace(right, wrong))
    monkeypatch.setattr(templates, "TEMPLATES", (copy,))
    assert not templates.is_valid()
    assert told in capfd.readouterr().out


@pytest.mark.parametrize("template", templates.TEMPLATES, ids=lambda path: path.name)
def test_a_template_can_be_sent_as_it_is(template: Path) -> None:
    assert len(template.read_bytes()) <= 51_200  # CloudFormation's limit of a template that is not on S3
    # Aliases and merges of YAML are read by tools, and refused by CloudFormation.
    assert not re.search(r"(^|\s)[&*]\w+\s*$|<<:", template.read_text(), re.MULTILINE)


def test_no_stack_has_the_name_of_one_that_zappa_makes() -> None:
    names = {templates.stack_name(stage, template) for stage in templates.STAGES for template in templates.TEMPLATES}
    assert names == {f"squill-{stage}-{part}" for stage in ("dev", "staging", "live") for part in ("base", "watch")}
    assert not names & {f"squill-{stage}{jobs}" for stage in templates.STAGES for jobs in ("", "-jobs")}


def test_documents_stay_when_the_stack_goes_and_the_database_leaves_a_snapshot() -> None:
    assert BASE["Resources"]["Documents"]["DeletionPolicy"] == "Retain"
    assert BASE["Resources"]["Documents"]["UpdateReplacePolicy"] == "Retain"
    assert BASE["Resources"]["Database"]["DeletionPolicy"] == "Snapshot"
    assert BASE["Resources"]["Database"]["UpdateReplacePolicy"] == "Snapshot"


@pytest.mark.parametrize("name", ["Documents", "Deployments"])
def test_buckets_are_private_encrypted_and_spoken_to_over_tls_only(name: str) -> None:
    bucket = BASE["Resources"][name]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    policy = BASE["Resources"][f"{name}Policy"]["Properties"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": name}
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_database_is_encrypted_reached_by_the_functions_alone_and_over_tls_only() -> None:
    database = BASE["Resources"]["Database"]["Properties"]
    assert database["StorageEncrypted"] is True
    assert database["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in database
    assert database["VpcSecurityGroupIds"] == [{"Ref": "DatabaseSecurityGroup"}]
    assert BASE["Resources"]["DatabaseParameters"]["Properties"]["Parameters"]["rds.force_ssl"] == "1"
    # Values of customers do not come into the server's log, by no way that Squill's own log would not take.
    logged = BASE["Resources"]["DatabaseParameters"]["Properties"]["Parameters"]
    assert (logged["log_min_error_statement"], logged["log_error_verbosity"]) == ("panic", "terse")
    assert "log_min_duration_statement" not in logged
    [way_in] = BASE["Resources"]["DatabaseSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    assert (way_in["FromPort"], way_in["ToPort"]) == (5432, 5432)
    assert way_in["SourceSecurityGroupId"] == {"Ref": "FunctionsSecurityGroup"}
    assert "SecurityGroupIngress" not in BASE["Resources"]["FunctionsSecurityGroup"]["Properties"]
    assert {about["Properties"]["PubliclyAccessible"] for about in of_type("AWS::RDS::DBInstance").values()} == {False}


def test_live_is_never_paused_and_keeps_its_backups() -> None:
    rule = BASE["Rules"]["LiveIsAwakeAndKept"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Stage"}, "live"]}
    assert [assertion["Assert"] for assertion in rule["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": "MinCapacity"}, "0"]}]},
        {"Fn::Equals": [{"Ref": "DeletionProtection"}, "true"]},
        {"Fn::Equals": [{"Ref": "BackupDays"}, "35"]},
    ]


def test_the_parameters_are_of_the_version_of_the_engine() -> None:
    about = [each["Properties"] for each in BASE["Resources"].values() if "EngineVersion" in each.get("Properties", {})]
    [version] = {each["EngineVersion"] for each in about}
    family = BASE["Resources"]["DatabaseParameters"]["Properties"]["Family"]
    assert family == f"aurora-postgresql{version.partition('.')[0]}"


def test_logs_end_and_dead_letters_stay_for_14_days() -> None:
    assert {about["Properties"]["LogGroupName"]["Fn::Sub"] for about in of_type("AWS::Logs::LogGroup").values()} == {
        "/aws/lambda/squill-${Stage}",
        "/aws/lambda/squill-${Stage}-jobs",
    }
    assert all(about["Properties"]["RetentionInDays"] for about in of_type("AWS::Logs::LogGroup").values())
    queue = BASE["Resources"]["DeadLetters"]["Properties"]
    assert (queue["MessageRetentionPeriod"], queue["SqsManagedSseEnabled"]) == (14 * 86_400, True)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_somebody_what_to_do(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Alarms"}]
    assert alarm["AlarmName"]["Fn::Sub"].startswith("squill-${Stage}-")
    assert len(alarm["AlarmDescription"]) > 40
    assert alarm["TreatMissingData"] in ("notBreaching", "breaching", "ignore")
    # CloudWatch looks back for a day, or for a week where periods are of an hour or more.
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= (604_800 if alarm["Period"] >= 3600 else 86_400)


def test_every_alarm_is_explained_by_the_words_that_it_sends() -> None:
    page = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8").split("## Alarms")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert listed == [
        (alarm["AlarmName"]["Fn::Sub"].removeprefix("squill-${Stage}-"), alarm["AlarmDescription"]) for alarm in ALARMS.values()
    ]


def test_only_silence_where_something_must_come_is_an_alarm() -> None:
    assert {name for name, alarm in ALARMS.items() if alarm["TreatMissingData"] == "breaching"} == {
        "JobsMissing",
        "BillingRunMissing",
        "ReconcileMissing",
    }
    run = ALARMS["BillingRunMissing"]
    assert (run["Namespace"], run["MetricName"], run["Period"] * run["EvaluationPeriods"]) == ("Squill", "BillingRuns", 26 * 3600)
    assert (run["Statistic"], run["ComparisonOperator"], run["Threshold"]) == ("Sum", "LessThanThreshold", 1)


def test_alarms_and_dashboard_name_metrics_that_squill_writes() -> None:
    counted = {name for path in SOURCES for name in re.findall(r"metrics\.count\(\s*\"(\w+)\"", path.read_text(encoding="utf-8"))}
    assert counted == METRICS
    alarmed = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["Namespace"] == "Squill"}
    shown = {metric[1] for widget in dashboard() for metric in widget["properties"].get("metrics", []) if metric[0] == "Squill"}
    assert alarmed <= METRICS
    assert shown == METRICS
    for alarm in ALARMS.values():
        if alarm["Namespace"] == "Squill":
            assert alarm["Dimensions"] == [{"Name": "Stage", "Value": {"Ref": "Stage"}}]


def test_the_dashboard_shows_the_latest_errors_of_both_functions() -> None:
    [errors] = [widget["properties"] for widget in dashboard() if widget["type"] == "log"]
    text = WATCH["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    groups = {about["Properties"]["LogGroupName"]["Fn::Sub"] for about in of_type("AWS::Logs::LogGroup").values()}
    assert {f"SOURCE '{group}'" for group in groups} <= set(re.findall(r"SOURCE '[^']+'", text))
    assert "Task timed out" in errors["query"]  # which Lambda writes, when nobody is left to


def test_the_dashboard_shows_every_alarm_and_nothing_lies_over_another() -> None:
    first, *_rest = dashboard()
    shown = {arn.rpartition("alarm:")[2] for arn in first["properties"]["alarms"]}
    assert shown == {alarm["AlarmName"]["Fn::Sub"].replace("${Stage}", "x") for alarm in ALARMS.values()}
    taken: set[tuple[int, int]] = set()
    for widget in dashboard():
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert widget["x"] + widget["width"] <= 24
        assert not taken & cells
        taken |= cells


def test_parameters_of_the_example_are_those_of_the_templates() -> None:
    stages = json.loads((templates.FOLDER / "parameters.example.json").read_text())
    declared = BASE["Parameters"].keys() | WATCH["Parameters"].keys()
    for given in stages.values():
        assert given.keys() <= declared
        needed = {name for name, about in (BASE["Parameters"] | WATCH["Parameters"]).items() if "Default" not in about}
        assert needed - given.keys() - {"Stage"} <= BASE["Outputs"].keys()  # what watches is told by the outputs of what stands


def test_cfn_lint_has_nothing_to_say() -> None:
    done = subprocess.run([sys.executable, "-m", "infra.stack", "validate"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.localaws import ticker
from infra.localaws.local_aws import LocalAws
from tests.infra.localaws.deploying import deploy

NOTING = """
import json
def handle(event, context):
    with open(event["kwargs"]["file"], "a") as stream:
        stream.write(json.dumps(event) + "\\n")
"""
# As zappa writes it.
TEMPLATE = '{"time": <time>, "resources": <resources>, "detail": <detail>, "said": "at <time>", "kwargs": {"file": "FILE"}}'


def make_rule(aws: LocalAws, name: str, file: Path, *, state: str = "ENABLED") -> str:
    events = aws.client("events")
    arn: str = events.put_rule(Name=name, ScheduleExpression="rate(1 hour)", State=state)["RuleArn"]
    target = {
        "Id": "1",
        "Arn": aws.client("lambda").get_function(FunctionName="noting")["Configuration"]["FunctionArn"],
        "InputTransformer": {
            "InputPathsMap": {name: f"$.{name}" for name in ("time", "resources", "detail")},
            "InputTemplate": TEMPLATE.replace("FILE", str(file)),
        },
    }
    events.put_targets(Rule=name, Targets=[target])
    return arn


def test_a_rule_invokes_its_function_with_its_template_filled_in(aws: LocalAws, tmp_path: Path) -> None:
    deploy(aws, "noting", NOTING)
    arn = make_rule(aws, "squill-dev-jobs-squill.entrypoints.bill", tmp_path / "events")
    make_rule(aws, "squill-dev-jobs-squill.entrypoints.off", tmp_path / "events", state="DISABLED")
    [fired] = aws.ticker.fire("squill.entrypoints.bill", at=datetime(2026, 11, 30, 1, 0, tzinfo=UTC))
    assert fired.function_arn.endswith(":function:noting")
    assert aws.functions.settle(60)
    [event] = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    expected = {"time": "2026-11-30T01:00:00Z", "resources": [arn], "detail": {}, "said": "at 2026-11-30T01:00:00Z"}
    assert event == {**expected, "kwargs": {"file": str(tmp_path / "events")}}


def test_a_rule_that_is_not_there_or_switched_off_cannot_be_fired(aws: LocalAws) -> None:
    with pytest.raises(LookupError, match=r"no enabled schedule rule ends with 'entrypoints\.off'; there are: .*\.bill"):
        aws.ticker.fire("entrypoints.off")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(1 minute)", "2026-11-30 01:59:30"),
        ("rate(2 hours)", "2026-11-30 03:58:30"),
        ("cron(0 * * * ? *)", "2026-11-30 02:00:00"),
        ("cron(0,3 * * * ? *)", "2026-11-30 02:00:00"),
        ("cron(59 1,5 * * ? *)", "2026-11-30 01:59:00"),
        ("cron(15 1 * * ? *)", "2026-12-01 01:15:00"),
    ],
)
def test_a_schedule_is_due_at(expression: str, expected: str) -> None:
    now = datetime(2026, 11, 30, 1, 58, 30, tzinfo=UTC).timestamp()
    assert datetime.fromtimestamp(ticker._next(expression, now), UTC).strftime("%Y-%m-%d %H:%M:%S") == expected


def test_a_schedule_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the ticker does not know 'cron\(0 8 \? \* MON \*\)'"):
        ticker._next("cron(0 8 ? * MON *)", 0)

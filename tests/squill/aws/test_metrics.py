import json

import pytest
from pytest_django import Settings

from squill.aws import metrics


def test_a_line_is_of_the_embedded_metric_format() -> None:
    line = json.loads(metrics.embedded({"MailsSent": 2, "QueueAgeSeconds": 61}, stage="live", at_ms=1767225600000))
    assert line == {
        "_aws": {
            "Timestamp": 1767225600000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Squill",
                    "Dimensions": [["Stage"]],
                    "Metrics": [{"Name": "MailsSent", "Unit": "Count"}, {"Name": "QueueAgeSeconds", "Unit": "Seconds"}],
                }
            ],
        },
        "Stage": "live",
        "MailsSent": 2,
        "QueueAgeSeconds": 61,
    }


def test_what_is_counted_is_written_once_even_if_the_work_fails(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SQUILL_METRICS = "emf"

    @metrics.collected()
    def work() -> None:
        metrics.count("MailsSent")
        metrics.count("MailsSent", 2)
        metrics.count("DeliveriesFailed", 0)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        work()
    [line] = capsys.readouterr().out.splitlines()
    assert (json.loads(line)["MailsSent"], json.loads(line)["DeliveriesFailed"]) == (3, 0)


def test_nothing_is_written_where_nothing_was_counted_nobody_collects_or_nobody_asks(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SQUILL_METRICS = "emf"
    metrics.count("MailsSent")
    with metrics.collected():
        pass
    settings.SQUILL_METRICS = "none"
    with metrics.collected():
        metrics.count("MailsSent")
    assert capsys.readouterr().out == ""

"""
The whole way on the local AWS: a stage is made, deployed by zappa, used over HTTP, billed by its schedule, and taken down.

One test, because each step stands on the one before, and because a deployment is worth doing once.
"""

import http.client
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pypdf
import pytest

from infra.localaws.deployment import Deployment
from infra.localaws.front import Front
from infra.localaws.local_aws import LocalAws, running
from infra.localaws.postgresql import server
from infra.localaws.visitor import Visitor
from squill import postgres
from squill.lib import clock

DOMAIN = "billing.example.com"
# Amazon's simulator of an address that does not exist; the local SES has one of the same name.
ADDRESS = "bounce+acme@simulator.amazonses.com"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """A local AWS with a PostgreSQL of its own, both gone afterwards."""
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    try:
        with running(tmp_path / "aws", retry_seconds=0.1) as started:
            yield started
    finally:
        postgres.stop()


def test_a_stage_is_deployed_bills_and_is_taken_down(aws: LocalAws, tmp_path: Path) -> None:
    stage = Deployment(aws, "dev", tmp_path / "stage", DOMAIN)
    stage.make_stack()
    stage.deploy()
    # The functions sign in with a role that owns nothing: what is final they cannot change, whatever they run.
    assert _rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'squill_app'") == [(0,)]
    assert _rows("SELECT has_table_privilege('squill_app', 'billing_payment', 'DELETE')") == [(False,)]
    signs_in = aws.client("secretsmanager").get_secret_value(SecretId=stage.outputs()["DatabaseSecretArn"])["SecretString"]
    assert json.loads(signs_in)["username"] == "squill_app"
    front = aws.front(function_name="squill-dev", stage="dev")
    api = Visitor(front.url, DOMAIN, stage.make_key("test", "read", "write", "events:write", "events:backfill"))
    assert stage.make_staff("anna@example.com")
    assert _rows("SELECT email, is_superuser FROM customers_user") == [("anna@example.com", True)]
    # SNS asks the deployed function whether it wants the reports, so this change of the stack comes after it.
    stage.make_stack(ReportsUrl=f"https://{DOMAIN}/hooks/ses")
    _wait_until(lambda: _subscription(aws)["PendingConfirmation"] == "false")

    _sell(api)
    _use(api)
    number = _bill(aws, api)
    _assert_document(aws, stage, api, number)
    _assert_mail_and_its_bounce(aws, number)
    _assert_nothing_is_sent_there_any_more(aws, api)
    _assert_nothing_happens_twice(aws)
    _assert_alarms_have_something_to_watch(aws)
    _assert_forged_reports_are_refused(aws, stage)
    _assert_a_new_password_is_taken_by_functions_that_run(aws, stage, api)
    _assert_a_secret_that_cannot_be_read_is_told(aws, front)
    _update(stage, front)
    _take_down(aws, stage, api)


def _sell(api: Visitor) -> None:
    meter = {"code": "calls", "name": "API calls", "event_type": "api.call", "aggregation": "sum", "value": "calls"}
    api.ask("POST", "/meters", meter, expect=201)
    tiers = [{"up_to": "1000", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.01"}]
    charges = [
        {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "20"},
        {"code": "calls", "name": "API calls", "meter": "calls", "model": "graduated", "tiers": tiers},
    ]
    plan = {"name": "Starter", "currency": "EUR", "interval": "monthly", "anchor": "calendar", "charges": charges}
    api.ask("PUT", "/plans/starter", plan, expect=201)
    _subscribe(api, "acme")


def _subscribe(api: Visitor, customer: str) -> None:
    """Sell the plan to a new customer for one month."""
    who = {"external_id": customer, "name": customer.title(), "email": ADDRESS, "currency": "EUR", "timezone": "UTC"}
    api.ask("POST", "/customers", who, expect=201)
    begin, end = _month()
    subscription = {"customer": customer, "plan": "starter", "starts_at": begin.isoformat(), "ends_at": end.isoformat()}
    api.ask("POST", "/subscriptions", subscription, expect=201)


def _use(api: Visitor) -> None:
    """Send 1,500 calls, one event twice."""
    begin, _end = _month()
    events = [
        {
            "specversion": "1.0",
            "source": "test",
            "id": str(number),
            "type": "api.call",
            "subject": "acme",
            "time": (begin + timedelta(hours=number)).isoformat(),
            "data": {"calls": 50},
        }
        for number in range(30)
    ]
    api.ask("POST", "/events", [*events, events[0]], expect=204)


def _bill(aws: LocalAws, api: Visitor) -> str:
    """Fire the rules that zappa made; return the number of the invoice that came of it."""
    _tick(aws, "bill")
    [invoice] = api.ask("GET", "/invoices?customer=acme")["items"]
    # 20.00 + (1500 - 1000) * 0.01 = 25.00
    assert (invoice["status"], invoice["subtotal"]) == ("finalized", "25")
    assert _rows("SELECT number, status FROM billing_invoice") == [(invoice["number"], "finalized")]
    assert aws.mailbox.sent == []
    _tick(aws, "work")
    return str(invoice["number"])


def _assert_document(aws: LocalAws, stage: Deployment, api: Visitor, number: str) -> None:
    link = api.ask("GET", f"/invoices/{number}/pdf", expect=302)
    parts = urlsplit(link)
    assert f"http://{parts.netloc}" == aws.server.url
    # That a link without them would be refused is for S3 to do: moto verifies no signature.
    assert {"X-Amz-Signature", "X-Amz-Credential", "X-Amz-Expires"} <= set(parse_qs(parts.query))
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert number in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    bucket = stage.outputs()["DocumentsBucket"]
    assert [entry["Size"] for entry in aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]] == [len(content)]


def _assert_mail_and_its_bounce(aws: LocalAws, number: str) -> None:
    [mail] = aws.mailbox.sent
    assert mail.recipients == (ADDRESS,)
    [attachment] = list(mail.message.iter_attachments())
    assert attachment.get_content_type() == "application/pdf"
    assert number in str(mail.message["Subject"])
    suppressed = "SELECT address, reason FROM billing_suppressedaddress WHERE lifted_at IS NULL"
    _wait_until(lambda: _rows(suppressed) == [(ADDRESS, "bounce")])


def _assert_nothing_is_sent_there_any_more(aws: LocalAws, api: Visitor) -> None:
    _subscribe(api, "sister")
    _tick(aws, "bill")
    _tick(aws, "work")
    [invoice] = api.ask("GET", "/invoices?customer=sister")["items"]
    [delivery] = api.ask("GET", f"/invoices/{invoice['number']}/deliveries")
    assert delivery["status"] == "failed"
    assert len(aws.mailbox.sent) == 1


def _assert_nothing_happens_twice(aws: LocalAws) -> None:
    """EventBridge may deliver an event more than once, and at once."""
    before = _rows("SELECT number, status, total_minor FROM billing_invoice"), len(aws.mailbox.sent)
    for function in ("bill", "bill", "work", "work"):
        aws.ticker.fire(f"squill.entrypoints.{function}")
    assert aws.functions.settle()
    assert (_rows("SELECT number, status, total_minor FROM billing_invoice"), len(aws.mailbox.sent)) == before
    assert _dead_letters(aws) == 0


def _assert_alarms_have_something_to_watch(aws: LocalAws) -> None:
    """An alarm on a metric of another name or stage would be silent for ever."""
    _tick(aws, "check")
    # The mail that came back waits for a person; the books agree.
    assert _largest(aws, "ReconcileDifferences") == 0
    cloudwatch = aws.client("cloudwatch")
    alarms = [alarm for alarm in cloudwatch.describe_alarms()["MetricAlarms"] if alarm.get("Namespace") == "Squill"]
    written = {_watched(metric) for metric in cloudwatch.list_metrics(Namespace="Squill")["Metrics"]}
    assert len(alarms) >= 8
    assert {_watched(alarm) for alarm in alarms} - written == set()
    assert {"bill", "work", "check", "deliver"} <= {segment["name"] for segment in aws.xray.segments}


def _largest(aws: LocalAws, metric: str) -> float:
    now = clock.now()
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Squill",
        MetricName=metric,
        Dimensions=[{"Name": "Stage", "Value": "dev"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Maximum"],
    )
    return float(max(point["Maximum"] for point in found["Datapoints"]))


def _watched(described: dict[str, Any]) -> tuple[str, str]:
    return described["MetricName"], json.dumps(described["Dimensions"])


def _assert_forged_reports_are_refused(aws: LocalAws, stage: Deployment) -> None:
    topic = stage.outputs()["ReportsTopicArn"]
    forged = {
        "Type": "Notification",
        "MessageId": "forged",
        "TopicArn": topic,
        "Message": json.dumps({"eventType": "Bounce"}),
        "Timestamp": "2026-11-30T00:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-local.pem",
        "Signature": "bm90IGE=",
    }
    assert aws.deliver(f"https://{DOMAIN}/hooks/ses", json.dumps(forged).encode(), {"Content-Type": "text/plain"}) == 403


def _assert_a_new_password_is_taken_by_functions_that_run(aws: LocalAws, stage: Deployment, api: Visitor) -> None:
    api.ask("GET", "/invoices")
    running_now = [environment.pid for environment in aws.functions.environments("squill-dev")]
    secrets, name = aws.client("secretsmanager"), stage.outputs()["DatabaseSecretArn"]
    account = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(account | {"password": "another-one"}))
    stage.zappa("invoke", stage.jobs_stage, "squill.entrypoints.migrate")
    api.ask("GET", "/invoices")
    assert [environment.pid for environment in aws.functions.environments("squill-dev")] == running_now


def _assert_a_secret_that_cannot_be_read_is_told(aws: LocalAws, front: Front) -> None:
    functions, visitor = aws.client("lambda"), Visitor(front.url, DOMAIN)
    right = functions.get_function_configuration(FunctionName="squill-dev")["Environment"]
    wrong = {"Variables": right["Variables"] | {"SQUILL_SECRETS": "not-there"}}
    functions.update_function_configuration(FunctionName="squill-dev", Environment=wrong)
    assert visitor.page("/readyz", expect=502) == '{"message": "Internal server error"}'
    log = (aws.folder / "logs" / "squill-dev.log").read_text()
    assert "SQUILL_SECRETS names the secret not-there: there is none of that name in this region" in log
    functions.update_function_configuration(FunctionName="squill-dev", Environment=right)
    visitor.page("/readyz")


def _update(stage: Deployment, front: Front) -> None:
    stage.set_variables({"SQUILL_COMPANY_NAME": "Updated Limited"})
    visitor = Visitor(front.url, DOMAIN)
    assert "Updated Limited" not in visitor.page("/portal/sign-in")
    stage.zappa("update", stage.stage)
    assert "Updated Limited" in visitor.page("/portal/sign-in")


def _take_down(aws: LocalAws, stage: Deployment, api: Visitor) -> None:
    stage.zappa("undeploy", stage.stage, "--yes")
    stage.zappa("undeploy", stage.jobs_stage, "--yes")
    assert aws.client("lambda").list_functions()["Functions"] == []
    assert aws.ticker.rules() == []
    api.ask("GET", "/invoices", expect=500)
    # What customers were sent, and the books, stay.
    bucket = stage.outputs()["DocumentsBucket"]
    assert len(aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]) == 2
    assert len(_rows("SELECT number FROM billing_invoice")) == 2


def _tick(aws: LocalAws, function: str) -> None:
    [fired] = aws.ticker.fire(f"squill.entrypoints.{function}")
    assert fired.function_arn.endswith(":function:squill-dev-jobs")
    assert aws.functions.settle()
    assert _dead_letters(aws) == 0, (aws.folder / "logs" / "squill-dev-jobs.log").read_text()[-5000:]


def _dead_letters(aws: LocalAws) -> int:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="squill-dev-dead-letters")["QueueUrl"]
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(counted["Attributes"]["ApproximateNumberOfMessages"])


def _subscription(aws: LocalAws) -> dict[str, str]:
    sns = aws.client("sns")
    [found] = [each for each in sns.list_subscriptions()["Subscriptions"] if each["Protocol"] == "https"]
    attributes: dict[str, str] = sns.get_subscription_attributes(SubscriptionArn=found["SubscriptionArn"])["Attributes"]
    return attributes


def _month() -> tuple[datetime, datetime]:
    """Return the month before the last: it has ended so long ago that no grace holds its invoice up."""
    first = clock.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (first - timedelta(days=1)).replace(day=1)
    return (end - timedelta(days=1)).replace(day=1), end


def _rows(query: str) -> list[tuple[Any, ...]]:
    with server.connection("squill") as connection:
        return connection.execute(query).fetchall()


def _wait_until(condition: Any, seconds: float = 30) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)

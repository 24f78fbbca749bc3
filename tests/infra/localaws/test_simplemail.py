import http.client
import json
import socket
import ssl
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from billing.delivery import sns
from infra.localaws import REGION
from infra.localaws.local_aws import LocalAws
from infra.localaws.names import lead_to_door
from tests.infra.localaws.deploying import deploy, make_queue

TOPIC = f"arn:aws:sns:{REGION}:123456789012:reports"
# A web function that keeps what it is sent, and says yes.
KEEPING = """
import base64, os
def handle(event, context):
    with open(os.environ["KEPT"], "ab") as stream:
        stream.write(base64.b64decode(event["body"]) + b"\\n")
    return {"statusCode": 200, "body": ""}
"""


def send(aws: LocalAws, recipient: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "billing@example.com", recipient, "Invoice"
    message["X-SES-CONFIGURATION-SET"] = "set"
    message.set_content("Here it is.")
    sent = aws.client("sesv2").send_email(
        FromEmailAddress="billing@example.com",
        Destination={"ToAddresses": [recipient]},
        Content={"Raw": {"Data": message.as_bytes()}},
    )
    return str(sent["MessageId"])


@pytest.fixture
def reports(aws: LocalAws) -> str:
    """A queue that gets what is reported of mails; its address."""
    aws.client("ses").verify_domain_identity(Domain="example.com")
    aws.client("sns").create_topic(Name="reports")
    url, arn = make_queue(aws, "reports")
    aws.client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=arn)
    aws.mailbox.report_to("set", TOPIC, {"BOUNCE", "DELIVERY"})
    return url


def test_a_mail_can_be_read_and_its_address_decides_what_becomes_of_it(aws: LocalAws, reports: str) -> None:
    ids = [
        send(aws, "ana@example.org"),
        send(aws, "bounce@simulator.amazonses.com"),
        send(aws, "complaint@simulator.amazonses.com"),
    ]
    assert [mail.message["Subject"] for mail in aws.mailbox.sent[-3:]] == ["Invoice"] * 3
    messages = aws.client("sqs").receive_message(QueueUrl=reports, MaxNumberOfMessages=10)["Messages"]
    events = [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
    # The configuration set reports no complaints.
    assert sorted((event["eventType"], event["mail"]["messageId"]) for event in events) == [
        ("Bounce", ids[1]),
        ("Delivery", ids[0]),
    ]


def test_an_endpoint_confirms_first_and_then_gets_messages_that_squill_takes_for_genuine(
    aws: LocalAws, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path_factory.mktemp("kept") / "messages"
    deploy(aws, "keeping", KEEPING, Environment={"Variables": {"KEPT": str(kept)}})
    aws.front(function_name="keeping", stage="dev")
    topic = aws.client("sns").create_topic(Name="signed")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint="https://billing.example.com/hooks/ses")
    asked = _messages(kept, 1)[0]
    aws.client("sns").publish(TopicArn=topic, Message="too early")

    # This process sees Amazon's hosts as functions see them here.
    monkeypatch.setattr("socket.getaddrinfo", socket.getaddrinfo)
    lead_to_door(aws.door)
    monkeypatch.setenv("SSL_CERT_FILE", str(aws.bundle))
    monkeypatch.setattr(sns, "_certificates", {})
    sns.verify(asked, topic_arn=topic)
    sns.confirm_subscription(asked)
    aws.client("sns").publish(TopicArn=topic, Message="hello")
    told = _messages(kept, 2)[1]
    assert told["Message"] == "hello"
    sns.verify(told, topic_arn=topic)
    with pytest.raises(sns.UntrustedMessage, match="a signature that does not fit"):
        sns.verify(told | {"Message": "changed"}, topic_arn=topic)


def test_only_who_is_given_the_authority_believes_the_door(aws: LocalAws) -> None:
    host, port = aws.door.split(":")
    context = ssl.create_default_context()
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/SimpleNotificationService-local.pem")


def _messages(path: Path, count: int) -> list[dict[str, str]]:
    give_up_at = time.monotonic() + 30
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    return [json.loads(line) for line in path.read_text().splitlines()]

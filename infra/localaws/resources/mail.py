"""SES and what it reports to: identities, configuration sets, event destinations, and the topic's subscriptions."""

import json
import uuid

from infra.localaws.resources.declaring import Made, Properties, call, cloud, declare
from infra.localaws.simplemail import mailbox

# What CloudFormation writes as delivery, SES's own API writes as DELIVERY.
_EVENT_TYPES = {
    "send": "SEND",
    "reject": "REJECT",
    "bounce": "BOUNCE",
    "complaint": "COMPLAINT",
    "delivery": "DELIVERY",
    "open": "OPEN",
    "click": "CLICK",
    "renderingFailure": "RENDERING_FAILURE",
    "deliveryDelay": "DELIVERY_DELAY",
    "subscription": "SUBSCRIPTION",
}


def _make_identity(_name: str, properties: Properties) -> Made:
    identity = properties["EmailIdentity"]
    call("sesv2", "create_email_identity", properties)
    # On AWS the identity waits for three records in DNS; here it is verified at once.
    ses = cloud.client("ses")
    (ses.verify_email_identity if "@" in identity else ses.verify_domain_identity)(
        **({"EmailAddress": identity} if "@" in identity else {"Domain": identity})
    )
    attributes: dict[str, str] = {}
    for number in (1, 2, 3):
        token = uuid.uuid4().hex
        attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}"
        attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
    return Made(identity, attributes)


def _delete_identity(identity: str, _properties: Properties) -> None:
    cloud.client("ses").delete_identity(Identity=identity)


def _make_configuration_set(name: str, properties: Properties) -> Made:
    name = properties.pop("Name", name)
    call("sesv2", "create_configuration_set", {"ConfigurationSetName": name, **properties})
    return Made(name)


def _delete_configuration_set(name: str, _properties: Properties) -> None:
    cloud.client("sesv2").delete_configuration_set(ConfigurationSetName=name)


def _make_event_destination(_name: str, properties: Properties) -> Made:
    destination = properties["EventDestination"]
    unknown = set(destination) - {"Name", "Enabled", "MatchingEventTypes", "SnsDestination"}
    if unknown:
        raise ValueError(f"the local AWS knows event destinations of SNS alone, not {sorted(unknown)}")
    kinds = {_EVENT_TYPES[kind] for kind in destination["MatchingEventTypes"]}
    if str(destination.get("Enabled", "true")).lower() == "true":
        mailbox.report_to(properties["ConfigurationSetName"], destination["SnsDestination"]["TopicARN"], kinds)
    return Made(f"{properties['ConfigurationSetName']}|{destination.get('Name', 'destination')}")


def _delete_event_destination(physical_id: str, _properties: Properties) -> None:
    mailbox.report_no_more(physical_id.partition("|")[0])


def _make_subscription(_name: str, properties: Properties) -> Made:
    return Made(call("sns", "subscribe", {**properties, "ReturnSubscriptionArn": True})["SubscriptionArn"])


def _delete_subscription(arn: str, _properties: Properties) -> None:
    cloud.client("sns").unsubscribe(SubscriptionArn=arn)


def _make_topic_policy(name: str, properties: Properties) -> Made:
    for topic in properties["Topics"]:
        cloud.client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return Made(name)


def _keep(_physical_id: str, _properties: Properties) -> None:
    """A policy goes with what it is of."""


TYPES = (
    declare(
        "AWS::SES::EmailIdentity",
        _make_identity,
        delete=_delete_identity,
        name="EmailIdentity",
        attributes=tuple(f"DkimDNSToken{part}{number}" for part in ("Name", "Value") for number in (1, 2, 3)),
    ),
    declare("AWS::SES::ConfigurationSet", _make_configuration_set, delete=_delete_configuration_set, name="Name"),
    declare("AWS::SES::ConfigurationSetEventDestination", _make_event_destination, delete=_delete_event_destination),
    declare("AWS::SNS::Subscription", _make_subscription, delete=_delete_subscription),
    declare("AWS::SNS::TopicPolicy", _make_topic_policy, delete=_keep),
)

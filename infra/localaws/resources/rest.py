"""The remaining types: secrets, alarms, and policies and rules of things that moto makes."""

import json
import secrets
import string

from infra.localaws.resources.declaring import Made, Properties, call, cloud, declare


def _make_secret(name: str, properties: Properties) -> Made:
    generate = properties.pop("GenerateSecretString", None)
    if generate is not None:
        alphabet = string.ascii_letters + string.digits
        if generate.get("ExcludePunctuation", False) in (False, "false"):
            alphabet += "!#$%&()*+-./:;<=>?[]^_{|}~"
        alphabet = "".join(sign for sign in alphabet if sign not in generate.get("ExcludeCharacters", ""))
        made = "".join(secrets.choice(alphabet) for _position in range(int(generate.get("PasswordLength", 32))))
        if "GenerateStringKey" in generate:
            made = json.dumps({**json.loads(generate["SecretStringTemplate"]), generate["GenerateStringKey"]: made})
        properties["SecretString"] = made
    arn = call("secretsmanager", "create_secret", {"Name": name, **properties})["ARN"]
    return Made(arn, {"Id": arn})


def _delete_secret(arn: str, _properties: Properties) -> None:
    cloud.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _make_alarm(name: str, properties: Properties) -> Made:
    call("cloudwatch", "put_metric_alarm", {"AlarmName": name, **properties})
    alarm = cloud.client("cloudwatch").describe_alarms(AlarmNames=[properties.get("AlarmName", name)])["MetricAlarms"][0]
    return Made(alarm["AlarmName"], {"Arn": alarm["AlarmArn"]})


def _delete_alarm(name: str, _properties: Properties) -> None:
    cloud.client("cloudwatch").delete_alarms(AlarmNames=[name])


def _make_bucket_policy(name: str, properties: Properties) -> Made:
    # moto applies statements whatever their conditions are: "nothing without TLS" would be nothing at all, the more so as the
    # local AWS itself speaks without.
    document = properties["PolicyDocument"]
    applied = [statement for statement in document["Statement"] if "Condition" not in statement]
    if applied:
        policy = json.dumps(document | {"Statement": applied})
        cloud.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
    return Made(name)


def _make_queue_policy(name: str, properties: Properties) -> Made:
    for queue in properties["Queues"]:
        cloud.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(properties["PolicyDocument"])})
    return Made(name)


def _make_egress(name: str, properties: Properties) -> Made:
    permission = {key: properties[key] for key in ("IpProtocol", "FromPort", "ToPort")}
    if "DestinationSecurityGroupId" in properties:
        permission["UserIdGroupPairs"] = [{"GroupId": properties["DestinationSecurityGroupId"]}]
    if "CidrIp" in properties:
        permission["IpRanges"] = [{"CidrIp": properties["CidrIp"]}]
    call("ec2", "authorize_security_group_egress", {"GroupId": properties["GroupId"], "IpPermissions": [permission]})
    return Made(name)


def _make_metric_filter(name: str, properties: Properties) -> Made:
    name = properties.pop("FilterName", name)
    lowered = {key[0].lower() + key[1:]: value for key, value in properties.items()}
    lowered["metricTransformations"] = [
        {key[0].lower() + key[1:]: value for key, value in one.items()} for one in properties["MetricTransformations"]
    ]
    call("logs", "put_metric_filter", {"filterName": name, **lowered})
    return Made(name)


def _delete_metric_filter(name: str, properties: Properties) -> None:
    cloud.client("logs").delete_metric_filter(logGroupName=properties["LogGroupName"], filterName=name)


def _keep(_physical_id: str, _properties: Properties) -> None:
    """A policy or rule goes with what it is of."""


TYPES = (
    declare("AWS::SecretsManager::Secret", _make_secret, delete=_delete_secret, name="Name", attributes=("Id",)),
    declare("AWS::CloudWatch::Alarm", _make_alarm, delete=_delete_alarm, name="AlarmName", attributes=("Arn",)),
    declare("AWS::S3::BucketPolicy", _make_bucket_policy, delete=_keep),
    declare("AWS::SQS::QueuePolicy", _make_queue_policy, delete=_keep),
    declare("AWS::EC2::SecurityGroupEgress", _make_egress, delete=_keep),
    declare("AWS::Logs::MetricFilter", _make_metric_filter, delete=_delete_metric_filter, name="FilterName"),
)

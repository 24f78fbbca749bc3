import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from botocore.exceptions import ClientError

from infra.localaws.local_aws import LocalAws
from squill import postgres

CLUSTER = """
Parameters:
  Note: {Type: String, Default: first}
Conditions:
  Second: !Equals [!Ref Note, second]
Resources:
  Database:
    Type: AWS::RDS::DBCluster
    Properties:
      Engine: aurora-postgresql
      DatabaseName: ledger
      MasterUsername: squill
      ManageMasterUserPassword: true
      BackupRetentionPeriod: "35"
  Topic: {Type: AWS::SNS::Topic}
  Subscription:
    Type: AWS::SNS::Subscription
    Condition: Second
    Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: a@example.com}
Outputs:
  Host: {Value: !GetAtt Database.Endpoint.Address}
  Port: {Value: !GetAtt Database.Endpoint.Port}
  Secret: {Value: !GetAtt Database.MasterUserSecret.SecretArn}
"""


@pytest.fixture
def database_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield
    postgres.stop()


@pytest.mark.usefixtures("database_home")
def test_a_cluster_is_a_real_postgresql_that_its_secret_opens(aws: LocalAws) -> None:
    formation = aws.client("cloudformation")
    formation.create_stack(StackName="ledger", TemplateBody=CLUSTER)
    [stack] = formation.describe_stacks(StackName="ledger")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    secret = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"])
    assert secret["username"] == "squill"
    with psycopg.connect(
        host=outputs["Host"], port=outputs["Port"], dbname="ledger", user=secret["username"], password=secret["password"]
    ) as connection:
        # As on RDS, the master user owns its database and is no superuser.
        assert connection.execute("SELECT current_setting('is_superuser')").fetchone() == ("off",)
        connection.execute("CREATE TABLE entry (amount bigint)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=outputs["Host"], port=outputs["Port"], dbname="ledger", user="squill", password="guessed")
    assert aws.client("rds").describe_db_clusters()["DBClusters"][0]["BackupRetentionPeriod"] == 35

    # A condition makes what it guards when it becomes true, and takes it away.
    for note, endpoints in (("second", ["a@example.com"]), ("third", [])):
        parameters = [{"ParameterKey": "Note", "ParameterValue": note}]
        formation.update_stack(StackName="ledger", UsePreviousTemplate=True, Parameters=parameters)
        assert [each["Endpoint"] for each in aws.client("sns").list_subscriptions()["Subscriptions"]] == endpoints
    formation.delete_stack(StackName="ledger")
    assert aws.client("rds").describe_db_clusters()["DBClusters"] == []


def test_a_type_that_nobody_knows_is_an_error_and_the_stack_is_not_there(aws: LocalAws) -> None:
    formation = aws.client("cloudformation")
    template = {"Resources": {"Thing": {"Type": "AWS::Made::Up"}}}
    with pytest.raises(ClientError, match="The local AWS does not know AWS::Made::Up"):
        formation.create_stack(StackName="unknown", TemplateBody=json.dumps(template))
    with pytest.raises(ClientError, match="does not exist"):
        formation.describe_stacks(StackName="unknown")


def test_a_property_that_the_service_does_not_take_is_an_error(aws: LocalAws) -> None:
    template = {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Treshold": 1}}}}
    with pytest.raises(ClientError, match=r"Alarm \(AWS::CloudWatch::Alarm\): [\s\S]*\"Treshold\""):
        aws.client("cloudformation").create_stack(StackName="misspelt", TemplateBody=json.dumps(template))


def test_yaml_aliases_are_refused_as_cloudformation_refuses_them(aws: LocalAws) -> None:
    template = "Resources:\n  A: &same {Type: 'AWS::SNS::Topic'}\n  B: *same\n"
    with pytest.raises(ClientError, match=r"YAML aliases are not allowed .* \(line 3\)"):
        aws.client("cloudformation").create_stack(StackName="aliased", TemplateBody=template)

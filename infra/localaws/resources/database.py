"""Aurora: the cluster's rows are moto's, and behind its endpoint is a real PostgreSQL."""

import json
from typing import Any

from infra.localaws.postgresql import server
from infra.localaws.resources.declaring import Made, Properties, call, cloud, declare


def _make_cluster(name: str, properties: Properties) -> Made:
    identifier = properties.setdefault("DBClusterIdentifier", name).lower()
    managed = properties.pop("ManageMasterUserPassword", False) in (True, "true")
    username = properties["MasterUsername"]
    if managed:
        # moto would make a secret that holds nothing of use; ours is made below, with what the server really takes.
        properties["MasterUserPassword"] = "kept-in-secrets-manager"
    cluster = call("rds", "create_db_cluster", properties)["DBCluster"]
    host, port = server.address()
    password = server.provide(username=username, database=properties["DatabaseName"])
    attributes = {
        "Endpoint.Address": host,
        "Endpoint.Port": str(port),
        "ReadEndpoint.Address": host,
        "DBClusterArn": cluster["DBClusterArn"],
        "DBClusterResourceId": cluster["DbClusterResourceId"],
    }
    if managed:
        secret = cloud.client("secretsmanager").create_secret(
            Name=f"rds!cluster-{cluster['DbClusterResourceId'].lower()}",
            Description=f"The secret associated with the primary RDS DB cluster: {cluster['DBClusterArn']}",
            SecretString=json.dumps({"username": username, "password": password}),
        )
        attributes["MasterUserSecret.SecretArn"] = secret["ARN"]
    return Made(identifier, attributes)


def _delete_cluster(identifier: str, _properties: Properties) -> None:
    rds = cloud.client("rds")
    rds.modify_db_cluster(DBClusterIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)
    # The database itself stays where it is: like a snapshot, and unlike one, at once usable again.
    rds.delete_db_cluster(DBClusterIdentifier=identifier, SkipFinalSnapshot=True)


def _make_instance(name: str, properties: Properties) -> Made:
    identifier = properties.setdefault("DBInstanceIdentifier", name).lower()
    cluster: dict[str, Any] = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=properties["DBClusterIdentifier"])
    if cluster["DBClusters"][0]["Engine"] != properties["Engine"]:
        raise ValueError(f"{identifier} and its cluster are of different engines")
    call("rds", "create_db_instance", properties)
    host, port = server.address()
    return Made(identifier, {"Endpoint.Address": host, "Endpoint.Port": str(port)})


def _delete_instance(identifier: str, _properties: Properties) -> None:
    cloud.client("rds").delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)


def _make_parameters(name: str, properties: Properties) -> Made:
    name = properties.pop("DBClusterParameterGroupName", name).lower()
    properties.pop("Parameters", None)  # moto keeps none of a cluster's
    family = properties.pop("Family")
    call(
        "rds",
        "create_db_cluster_parameter_group",
        {"DBClusterParameterGroupName": name, "DBParameterGroupFamily": family, **properties},
    )
    return Made(name)


def _delete_parameters(name: str, _properties: Properties) -> None:
    cloud.client("rds").delete_db_cluster_parameter_group(DBClusterParameterGroupName=name)


def _make_subnets(name: str, properties: Properties) -> Made:
    name = properties.setdefault("DBSubnetGroupName", name).lower()
    call("rds", "create_db_subnet_group", properties)
    return Made(name)


def _delete_subnets(name: str, _properties: Properties) -> None:
    cloud.client("rds").delete_db_subnet_group(DBSubnetGroupName=name)


_OF_A_CLUSTER = (
    "Endpoint.Address",
    "Endpoint.Port",
    "ReadEndpoint.Address",
    "DBClusterArn",
    "DBClusterResourceId",
    "MasterUserSecret.SecretArn",
)
TYPES = (
    declare("AWS::RDS::DBCluster", _make_cluster, delete=_delete_cluster, name="DBClusterIdentifier", attributes=_OF_A_CLUSTER),
    # moto has one of its own, whose Ref is no name.
    declare("AWS::RDS::DBSubnetGroup", _make_subnets, delete=_delete_subnets, name="DBSubnetGroupName"),
    # moto has one of its own, which wants values that an instance of a cluster has not.
    declare(
        "AWS::RDS::DBInstance",
        _make_instance,
        delete=_delete_instance,
        name="DBInstanceIdentifier",
        attributes=("Endpoint.Address", "Endpoint.Port"),
    ),
    declare("AWS::RDS::DBClusterParameterGroup", _make_parameters, delete=_delete_parameters, name="DBClusterParameterGroupName"),
)

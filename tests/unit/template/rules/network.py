"""The roads: one way out which is there before anything needs it, and one way to the database."""

from collections.abc import Iterator
from typing import Any

from local.intrinsics import Resolver
from tests.unit.template.deployment import Deployment, render

EVERYWHERE = "0.0.0.0/0"
TARGETS = ("GatewayId", "NatGatewayId", "InstanceId", "NetworkInterfaceId")
# The targets of each route that leads out of the private subnets.
WAYS_OUT_BY: dict[str, list[list[str]]] = {
    "nat-gateway": [["NatGatewayId"]],
    "nat-instance": [["InstanceId"]],
    "none": [],
}
HTTPS, POSTGRES = (443, 443), (5432, 5432)
# What migrations need beside the way out: the database, and the roads to it and to S3.
ROADS = (
    "DatabaseInstance", "DatabaseFromFunctions", "FunctionsToDatabase",
    "PrivateRoutesOfA", "PrivateRoutesOfB", "S3Endpoint",
)  # fmt: skip
# Each group's rules: which ports, and from or to where.
FUNCTIONS, DATABASE, MACHINE, ENDPOINTS = (
    "FunctionSecurityGroup", "DatabaseSecurityGroup", "NatMachineSecurityGroup", "EndpointSecurityGroup",
)  # fmt: skip
WAYS_IN = {
    FUNCTIONS: set(),
    DATABASE: {(POSTGRES, FUNCTIONS)},
    MACHINE: {(HTTPS, FUNCTIONS)},
    ENDPOINTS: {(HTTPS, FUNCTIONS)},
}
WAYS_OUT = {
    FUNCTIONS: {(HTTPS, EVERYWHERE), (POSTGRES, DATABASE)},
    # To itself, which is nowhere.
    DATABASE: {(POSTGRES, "127.0.0.1/32")},
    MACHINE: {(HTTPS, EVERYWHERE)},
}


def colliding_routes(deployment: Deployment) -> Iterator[str]:
    """A table takes one route to a destination, also while one way out is changed for another."""
    seen = set()
    for name in deployment.named("AWS::EC2::Route"):
        properties = deployment.properties(name)
        way = (str(properties["RouteTableId"]), properties["DestinationCidrBlock"])
        if way in seen:
            yield f"{name} leads where another route of its table leads"
        seen.add(way)


def lost_ways_out(deployment: Deployment) -> Iterator[str]:
    """With each choice of Egress, what is private has one way out, or endpoints in its place."""
    for egress, wanted in WAYS_OUT_BY.items():
        resolver = Resolver(deployment.document, parameters={"Egress": egress})
        there = {name for name, one in deployment.resources.items() if is_there(one, resolver)}
        ways = [
            sorted(set(TARGETS) & set(resolver.resolve(deployment.properties(name))))
            for name in there & set(deployment.named("AWS::EC2::Route"))
            if deployment.properties(name)["RouteTableId"] == {"Ref": "PrivateRoutes"}
        ]
        if ways != wanted:
            yield f"with Egress={egress} the private subnets go out by {ways}"
        if (egress == "none") != ({"SqsEndpoint", "SecretsManagerEndpoint"} <= there):
            yield f"with Egress={egress} SQS and Secrets Manager are reached wrongly"
        way = resolver.resolve(deployment.properties("Migrations").get("WayOut"))
        if way != ("WayOut" if wanted else "SecretsManagerEndpoint"):
            yield f"with Egress={egress} the migrations may run before there is a way out"


def is_there(resource: dict[str, Any], resolver: Resolver) -> bool:
    return "Condition" not in resource or resolver.holds(resource["Condition"])


def hidden_storage(deployment: Deployment) -> Iterator[str]:
    """By the gateway endpoint, CloudFormation is answered and documents are read, whatever the way out."""
    endpoint = deployment.properties("S3Endpoint")
    if endpoint.get("VpcEndpointType") != "Gateway" or endpoint.get("RouteTableIds") != [
        {"Ref": "PrivateRoutes"}
    ]:
        yield "S3 is not reached from the private subnets"
    waits = deployment.resources["Migrations"]["DependsOn"]
    for name in ROADS:
        if name not in waits:
            yield f"the migrations do not wait for {name}"


def unready_machines(deployment: Deployment) -> Iterator[str]:
    """A NAT machine is waited for, tells of its own failure, and comes back by itself."""
    alarms = [
        (properties["MetricName"], str(properties.get("AlarmActions")))
        for properties in map(deployment.properties, deployment.named("AWS::CloudWatch::Alarm"))
        if properties.get("Namespace") == "AWS/EC2"
    ]
    for name in deployment.named("AWS::EC2::Instance"):
        script = render(deployment.properties(name)["UserData"]["Fn::Base64"])
        if "ResourceSignal" not in deployment.resources[name].get("CreationPolicy", {}):
            yield f"nobody waits until {name} forwards"
        if "trap '/opt/aws/bin/cfn-signal --exit-code $?" not in script or f"--resource {name}" not in script:
            yield f"{name} does not say whether it forwards"
        if "set -euo pipefail" not in script:
            yield f"{name} goes on after a command that failed"
        for metric, action in (("System", "ec2:recover"), ("Instance", "ec2:reboot")):
            if not any(found == f"StatusCheckFailed_{metric}" and f"{action}'" in do for found, do in alarms):
                yield f"{name} is not helped by {action}"


def open_doors(deployment: Deployment) -> Iterator[str]:
    """Each security group lets through what it is there for, and nothing else."""
    for group in deployment.named("AWS::EC2::SecurityGroup"):
        for ways, wanted in (("Ingress", WAYS_IN), ("Egress", WAYS_OUT)):
            found = {way_of(rule) for rule in rules_of(deployment, group, ways)}
            # What a group does not say it may call, it may; the endpoints call nobody.
            if found != wanted.get(group, set()):
                yield f"{group} has other ways {'in' if ways == 'Ingress' else 'out'} than it needs: {found}"


def rules_of(deployment: Deployment, group: str, ways: str) -> Iterator[dict[str, Any]]:
    """Those that stand in the group and those that stand beside it."""
    yield from deployment.properties(group).get(f"SecurityGroup{ways}", [])
    for name in deployment.named(f"AWS::EC2::SecurityGroup{ways}"):
        if deployment.properties(name)["GroupId"] == {"Ref": group}:
            yield deployment.properties(name)


def way_of(rule: dict[str, Any]) -> tuple[tuple[int, int], str]:
    where = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId") or rule.get("CidrIp")
    ports = (rule.get("FromPort", 0), rule.get("ToPort", 65_535))
    return ports if rule["IpProtocol"] == "tcp" else (0, 65_535), render(where)


RULES = (colliding_routes, lost_ways_out, hidden_storage, unready_machines, open_doors)

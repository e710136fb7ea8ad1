"""The roads, with faults planted."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.network import RULES

ROUTE = "Resources WayOut Properties"
MACHINE = "Resources NatMachine"
SECOND_ROUTE = {
    "Type": "AWS::EC2::Route",
    "Condition": "NatInstance",
    "Properties": {
        "RouteTableId": {"Ref": "PrivateRoutes"},
        "DestinationCidrBlock": "0.0.0.0/0",
        "InstanceId": {"Ref": "NatMachine"},
    },
}

PLANTED = [
    ("Resources SecondRoute", SECOND_ROUTE, "SecondRoute leads where another route of its table leads"),
    ("Resources WayOut Condition", "NatInstance", "with Egress=nat-gateway the private subnets go out by []"),
    (f"{ROUTE} InstanceId", None, "with Egress=nat-instance the private subnets go out by [[]]"),
    (
        f"{ROUTE} NatGatewayId",
        {"Ref": "Nat"},
        "with Egress=nat-instance the private subnets go out by [['InstanceId', 'NatGatewayId']]",
    ),
    ("Resources WayOut Condition", None, "with Egress=none the private subnets go out by"),
    ("Resources SqsEndpoint Condition", "HasEgress", "with Egress=none SQS and Secrets Manager"),
    ("Resources Migrations Properties WayOut", None, "the migrations may run before there is a way out"),
    (
        "Resources Migrations Properties WayOut",
        {"Ref": "NatMachine"},
        "with Egress=nat-gateway the migrations may run before",
    ),
    ("Resources S3Endpoint Properties RouteTableIds", None, "S3 is not reached"),
    ("Resources S3Endpoint Properties RouteTableIds", [{"Ref": "PublicRoutes"}], "S3 is not reached"),
    ("Resources Migrations DependsOn 5", None, "the migrations do not wait for S3Endpoint"),
    (f"{MACHINE} CreationPolicy", None, "nobody waits until NatMachine forwards"),
    (f"{MACHINE} Properties UserData Fn::Base64", "#!/bin/bash", "does not say whether it forwards"),
    (f"{MACHINE} Properties UserData Fn::Base64", "#!/bin/bash", "goes on after a command that failed"),
    ("Resources NatMachineLostAlarm", None, "NatMachine is not helped by ec2:recover"),
    ("Resources NatMachineHangsAlarm Properties AlarmActions 0", None, "is not helped by ec2:reboot"),
    (
        "Resources FunctionSecurityGroup Properties SecurityGroupEgress 0 ToPort",
        65_535,
        "FunctionSecurityGroup has other ways out",
    ),
    (
        "Resources FunctionSecurityGroup Properties SecurityGroupEgress",
        None,
        "FunctionSecurityGroup has other ways out",
    ),
    ("Resources FunctionsToDatabase", None, "FunctionSecurityGroup has other ways out"),
    (
        "Resources DatabaseFromFunctions Properties",
        {
            "GroupId": {"Ref": "DatabaseSecurityGroup"},
            "IpProtocol": "tcp",
            "FromPort": 5432,
            "ToPort": 5432,
            "CidrIp": "0.0.0.0/0",
        },
        "DatabaseSecurityGroup has other ways in",
    ),
    (
        "Resources DatabaseFromFunctions Properties IpProtocol",
        "-1",
        "DatabaseSecurityGroup has other ways in",
    ),
    (
        "Resources NatMachineSecurityGroup Properties SecurityGroupIngress 0 FromPort",
        22,
        "NatMachineSecurityGroup has other ways in",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []


@pytest.mark.parametrize(
    ("program", "does", "said"),
    [
        ("nft", "true", "0"),
        ("dnf", "exit 7", "7"),
        ("nft", "exit 7", "7"),
        # It does not forward, and nothing has complained.
        ("sysctl", "echo 0", "1"),
    ],
)
def test_the_machine_tells_the_stack_how_its_script_ended(tmp_path: Path, program: str, does: str, said: str):
    run_machine_script(folder=tmp_path, programs={program: does})

    assert (tmp_path / "told").read_text() == (
        f"--exit-code {said} --stack millrace-local --resource NatMachine --region us-east-1\n"
    )


def test_the_machine_forwards_for_all_that_is_in_the_vpc(tmp_path: Path):
    run_machine_script(folder=tmp_path, programs={})

    assert (tmp_path / "ran").read_text().splitlines() == [
        "dnf install -y aws-cfn-bootstrap nftables",
        "sysctl --system",
        "systemctl enable --now nftables",
        "sysctl -n net.ipv4.ip_forward",
        "nft list chain ip nat postrouting",
    ]
    assert (tmp_path / "90-nat.conf").read_text() == "net.ipv4.ip_forward=1\n"
    everywhere = Deployment().properties("Vpc")["CidrBlock"]
    assert " ".join((tmp_path / "nftables.conf").read_text().split()) == (
        "table ip nat { chain postrouting { type nat hook postrouting priority srcnat; "
        f"ip saddr {everywhere} masquerade }} }}"
    )


def run_machine_script(*, folder: Path, programs: dict[str, str]) -> None:
    """With programs of ours in place of those that change a machine."""
    does = {"sysctl": "echo 1", "cfn-signal": f'echo "$@" >> {folder}/told', **programs}
    for name in ("dnf", "sysctl", "systemctl", "nft", "cfn-signal"):
        noted = "" if name == "cfn-signal" else f'echo "{name} $@" >> {folder}/ran\n'
        (folder / name).write_text(f"#!/bin/bash\n{noted}{does.get(name, 'true')}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    command = ["bash", "-c", machine_script(folder=folder)]
    subprocess.run(command, env=environment, capture_output=True, check=False)


def machine_script(*, folder: Path) -> str:
    """With its files and its programs in this folder."""
    deployment = Deployment()
    script = str(deployment.resolve(deployment.properties("NatMachine")["UserData"]["Fn::Base64"]))
    return re.sub("/etc/sysctl.d|/etc/sysconfig|/opt/aws/bin", str(folder), script)

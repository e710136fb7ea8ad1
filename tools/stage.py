"""What `make deploy` and `make destroy` ask of AWS beyond sam: no protected stage is deleted by a slip."""

import sys
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# So ends a first deployment that failed. It holds no data, and CloudFormation lets it do nothing but go.
NEVER_STOOD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS")


def main(doing: str, name: str) -> int:
    """The exit code."""
    try:
        return STEPS[doing](boto3.client("cloudformation"), name)
    except (BotoCoreError, ClientError) as error:
        print(f"The stack {name}: {error}", file=sys.stderr)
        return 1


def after_deploy(cloudformation: Any, name: str) -> int:
    """Have AWS refuse to delete a protected stack, and say when its alarms tell nobody.

    As a whole: a database that refuses is met only after what CloudFormation deletes before it.
    """
    given = parameters_of(read_stack(cloudformation, name))
    protected = given["ProtectDatabase"] == "true"
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=protected)
    if not given["AlarmEmail"]:
        print(
            f"Nobody is told when an alarm of {name} rings: set AlarmEmail in samconfig.toml.",
            file=sys.stderr,
        )
    return 0


def before_destroy(cloudformation: Any, name: str) -> int:
    """1 for a protected stack, before anything of it is touched."""
    stack = read_stack(cloudformation, name)
    if stack["StackStatus"] in NEVER_STOOD or parameters_of(stack)["ProtectDatabase"] != "true":
        return 0
    print(
        f"{name} is protected. Deploy it with ProtectDatabase=false first (samconfig.toml).", file=sys.stderr
    )
    return 1


def read_stack(cloudformation: Any, name: str) -> Any:
    return cloudformation.describe_stacks(StackName=name)["Stacks"][0]


def parameters_of(stack: Any) -> dict[str, str]:
    return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}


STEPS = {"deployed": after_deploy, "destroy": before_destroy}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Lints template.yaml twice: as it is written, and as the resources that SAM makes of it.

cfn-lint passes over what SAM generates (roles, permissions, routes), so that is made here, without AWS, as
CloudFormation would make it, and linted as the plain template it is. `make template` runs it in .venv-sam.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# Where things would be uploaded to. It is only ever read as an address.
ADDRESS = "s3://millrace-artifacts/code.zip"
UPLOADED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
REGIONS = ("us-east-1", "eu-central-1")


def main(template: Path) -> int:
    """0 when there is nothing to be found fault with."""
    quiet = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGIONS[0]}
    validated = run([str(BIN / "sam"), "validate", "--lint", "--template", str(template)], quiet)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "template.json")
        plain.write_text(json.dumps(transform(template), indent=1))
        linted = run([str(BIN / "cfn-lint"), "--regions", *REGIONS, "--template", str(plain)], quiet)
    return max(validated, linted)


def transform(template: Path) -> dict[str, Any]:
    """The template that CloudFormation would make of this one, with the parameters' defaults."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[0])
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.yaml_helper import yaml_parse

    document = yaml_parse(template.read_text(encoding="utf-8"))
    for resource in document["Resources"].values():
        if name := UPLOADED.get(resource["Type"]):
            resource["Properties"][name] = ADDRESS
    # No policy is named by its short name, so there is none to be looked up.
    translated: dict[str, Any] = Translator(managed_policy_map={}, sam_parser=Parser()).translate(
        document, {}
    )
    return translated


def run(command: list[str], environment: dict[str, str]) -> int:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "template.yaml"))

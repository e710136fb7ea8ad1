"""What CloudFormation would make of our template: SAM's own translator, without AWS.

As a program it reads templates as a JSON list and writes what becomes of each, for tests that have no SAM.
"""

import json
import os
import sys
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "us-east-1"
# Where things would be uploaded to. It is only ever read as an address.
ADDRESS = "s3://millrace-artifacts/code.zip"
UPLOADED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def transform(document: dict[str, Any]) -> dict[str, Any]:
    """With the parameters' defaults."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    for resource in document["Resources"].values():
        if name := UPLOADED.get(resource["Type"]):
            resource["Properties"][name] = ADDRESS
    # No policy is named by its short name, so there is none to be looked up.
    translated: dict[str, Any] = Translator(managed_policy_map={}, sam_parser=Parser()).translate(
        document, {}
    )
    return translated


if __name__ == "__main__":
    json.dump([transform(document) for document in json.load(sys.stdin)], sys.stdout)

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
# Where things would be uploaded to, as sam names them: by what is in them.
UPLOADS = "s3://millrace-artifacts/"
UPLOADED = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def transform(document: dict[str, Any]) -> dict[str, Any]:
    """With the defaults of the parameters, and folders as if they were uploaded: each has its own address."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    for resource in document["Resources"].values():
        if name := UPLOADED.get(resource["Type"]):
            resource["Properties"][name] = UPLOADS + resource["Properties"][name].strip("/") + ".zip"
    # No policy is named by its short name, so there is none to be looked up.
    translated: dict[str, Any] = Translator(managed_policy_map={}, sam_parser=Parser()).translate(
        document, {}
    )
    return translated


if __name__ == "__main__":
    json.dump([transform(document) for document in json.load(sys.stdin)], sys.stdout)

"""What is kept, with faults planted."""

from typing import Any

import pytest

from tests.unit.template.deployment import Deployment
from tests.unit.template.planting import faults_after
from tests.unit.template.rules.data import RULES

BUCKET = "Resources Bucket Properties"
POLICY = "Resources BucketPolicy Properties PolicyDocument Statement 0"

PLANTED = [
    ("Parameters DatabaseMinCapacity AllowedPattern", None, "DatabaseMinCapacity may be '257'"),
    ("Parameters DatabaseMinCapacity AllowedPattern", "[1-9]", "DatabaseMinCapacity may not be '0'"),
    ("Parameters DatabaseMinCapacity Default", "16", "more than DatabaseMaxCapacity by default"),
    ("Parameters DatabaseMaxCapacity AllowedPattern", None, "DatabaseMaxCapacity may be '0.7'"),
    ("Parameters DatabaseMaxCapacity AllowedPattern", r"\d+(\.5)?", "DatabaseMaxCapacity may be '0'"),
    ("Parameters PauseAfterSeconds MinValue", 60, "PauseAfterSeconds may be other than 300"),
    ("Parameters PauseAfterSeconds MaxValue", None, "PauseAfterSeconds may be other than 300"),
    ("Resources Database DeletionPolicy", "Delete", "Database has no DeletionPolicy Snapshot"),
    ("Resources Bucket DeletionPolicy", "Retain", "Bucket has no DeletionPolicy RetainExceptOnCreate"),
    ("Resources KeyPepper UpdateReplacePolicy", None, "KeyPepper has no UpdateReplacePolicy Retain"),
    ("Resources Database Properties StorageEncrypted", False, "the database has no StorageEncrypted"),
    ("Resources DatabaseInstance Properties PubliclyAccessible", True, "the database has a public address"),
    (
        "Resources DatabaseSettings Properties Parameters rds.force_ssl",
        None,
        "the database lets callers in without TLS",
    ),
    (f"{BUCKET} PublicAccessBlockConfiguration BlockPublicPolicy", False, "Bucket may be made public"),
    (f"{BUCKET} PublicAccessBlockConfiguration BlockPublicPolicy", None, "Bucket may be made public"),
    (f"{BUCKET} PublicAccessBlockConfiguration", None, "Bucket may be made public"),
    (f"{BUCKET} BucketEncryption", None, "Bucket is not encrypted"),
    (f"{BUCKET} LifecycleConfiguration", None, "Bucket keeps what was never wholly uploaded"),
    (f"{BUCKET} LifecycleConfiguration Rules 0 Status", "Disabled", "Bucket keeps what was never wholly"),
    ("Resources BucketPolicy", None, "Bucket can be reached without TLS"),
    (f"{POLICY} Condition", {"Bool": {"aws:SecureTransport": "true"}}, "Bucket can be reached without TLS"),
    (f"{POLICY} Resource 1", None, "Bucket can be reached without TLS"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_our_template_keeps_the_rule(rule):
    assert list(rule(Deployment())) == []


@pytest.mark.parametrize(("path", "value", "fault"), PLANTED)
def test_a_planted_fault_is_named(path: str, value: Any, fault: str):
    assert [found for found in faults_after(path, value, rules=RULES) if fault in found] != []

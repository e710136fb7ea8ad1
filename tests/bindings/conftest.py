"""Credentials that open nothing, and the two buckets."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from millrace.bindings.bucket import Bucket
from millrace.bindings.folder import FolderBucket
from millrace.bindings.s3 import S3Bucket

REGION = "eu-west-1"
BUCKET_NAME = "millrace-documents"


@pytest.fixture(autouse=True)
def aws(monkeypatch) -> None:
    """No test reaches AWS, whoever runs it and however their machine is set up."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "opens nothing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def s3_bucket() -> Iterator[S3Bucket]:
    with mock_aws():
        place = {"LocationConstraint": REGION}
        boto3.client("s3").create_bucket(Bucket=BUCKET_NAME, CreateBucketConfiguration=place)
        yield S3Bucket(BUCKET_NAME)


@pytest.fixture
def folder_bucket(tmp_path: Path) -> FolderBucket:
    return FolderBucket(tmp_path / "bucket", now=lambda: datetime.now(UTC))


@pytest.fixture(params=["folder", "s3"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    return request.getfixturevalue(f"{request.param}_bucket")

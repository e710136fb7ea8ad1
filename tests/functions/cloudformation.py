"""CloudFormation: what it sends to a custom resource, and how it listens."""

import threading
from pathlib import Path
from typing import Any

from millrace.env import Config, Env
from tests.databases import MIGRATIONS, FreshDatabase
from tests.factories import NOW

LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:MigrationsLayer"


class Answers:
    """CloudFormation, as far as it listens."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.came = threading.Event()

    def answer(self, url: str, answer: dict[str, Any]) -> None:
        self.heard.append((url, answer))
        self.came.set()

    @property
    def last(self) -> dict[str, Any]:
        return self.heard[-1][1]


def env_of(database: FreshDatabase, *, answers: Answers, folder: Path = MIGRATIONS) -> Env:
    config = Config(database.url, migrations_folder=str(folder))
    return Env(config, STACK=answers, now=lambda: NOW)


def event(request: str = "Create", *, version: int = 1, before: int | None = None) -> dict[str, Any]:
    """As CloudFormation sends it to a custom resource."""
    told: dict[str, Any] = {
        "RequestType": request,
        "ResponseURL": "https://example.com/answer-here",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Migrations",
        "ResourceType": "Custom::Migrations",
        "ResourceProperties": {"ServiceToken": "…", "Version": f"{LAYER}:{version}"},
    }
    if request != "Create":
        told["PhysicalResourceId"] = "migrations"
    if before is not None:
        told["OldResourceProperties"] = {"ServiceToken": "…", "Version": f"{LAYER}:{before}"}
    return told

"""The API keeps what docs/openapi.json says of it, whatever it is asked."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.acceptance.conftest import ROOT, System

DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text())
# Without a method that has no route: API Gateway knows no 405, and a path alone is a 404 in its words.
CHECKS = ("--checks", "all", "--exclude-checks", "unsupported_method")
CONFIG = Path(__file__).with_name("schemathesis.toml")
BOUNDS = ("--max-examples", "8", "--generation-database", "none", "--seed", "1")


def test_nothing_it_is_asked_is_answered_against_its_description(stopped: System, tmp_path: Path):
    stopped.start()

    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "--config-file", CONFIG),
            *("run", ROOT / "docs" / "openapi.json"),
            *("--url", f"http://127.0.0.1:{stopped.port}", "--header", "Authorization: Bearer test-token"),
            *(*CHECKS, *BOUNDS, "--continue-on-failure", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_it_is_served_as_it_is_written_and_to_anybody(stopped: System):
    stopped.start()

    served = stopped.client.get("/openapi.json", headers={"Authorization": ""})
    page = stopped.client.get("/docs", headers={"Authorization": ""})

    assert served.json() == DOCUMENT
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]


def every_example() -> list[Any]:
    """Each example with the schema that it stands under."""
    operations = [one for item in DOCUMENT["paths"].values() for one in item.values()]
    bodies = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    answers = [answer["content"] for one in operations for answer in one["responses"].values()]
    return [
        pytest.param(media["schema"], example["value"], id=f"{number}-{name}")
        for number, content in enumerate(bodies + answers)
        for media in content.values()
        for name, example in media["examples"].items()
    ]


@pytest.mark.parametrize(("schema", "example"), every_example())
def test_an_example_is_as_its_schema_says(schema: Any, example: Any):
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})

    assert [error.message for error in validator.iter_errors(example)] == []

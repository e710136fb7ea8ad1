"""A function imports what it uses and nothing else: every import is paid for at each cold start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = ("pydantic", "aws_lambda_powertools.event_handler", "boto3", "pg8000", "aws_xray_sdk")


def heavy_imports(statement: str) -> set[str]:
    """The heavy modules that a fresh interpreter with an empty environment has after a statement."""
    code = (
        f"import json, sys; {statement}; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": f"{ROOT / 'layers' / 'shared'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "from millrace import entry",
        "from functions.authorize import app",
        "from functions.job_pickup import app",
        "from functions.run_job import app",
    ],
)
def test_without_routes_neither_the_resolver_nor_pydantic_is_imported(statement: str):
    assert heavy_imports(statement) == set()


@pytest.mark.parametrize("function", ["create_job", "job_status"])
def test_routes_bring_the_resolver_and_pydantic_alone(function: str):
    assert heavy_imports(f"from functions.{function} import app") == {
        "pydantic",
        "aws_lambda_powertools.event_handler",
    }

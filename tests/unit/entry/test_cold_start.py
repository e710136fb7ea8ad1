"""A function imports what it uses and nothing else: every import is paid for at each cold start."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
# How many modules a function brings beyond the interpreter's own, with room for how Python versions differ.
# A number that must be raised is a reason to look at what was imported, and whether it could be later.
MOST_MODULES = {
    "authorize": 190,
    "create_job": 445,
    "describe_api": 60,
    "gpu_callback": 450,
    "job_pickup": 205,
    "job_status": 450,
    "manage": 470,
    "migrate": 310,
    "operate": 210,
    "run_job": 195,
}
HEAVY = ("pydantic", "aws_lambda_powertools.event_handler", "boto3", "pg8000", "aws_xray_sdk")


def heavy_imports(statement: str) -> set[str]:
    """The heavy modules that a fresh interpreter has after a statement."""
    named = f"[name for name in {HEAVY} if name in sys.modules]"
    return set(run_fresh(f"import json, sys; {statement}; print(json.dumps({named}))"))


def run_fresh(code: str) -> Any:
    """The JSON that a fresh interpreter with an empty environment prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PYTHONPATH": f"{ROOT / 'layers' / 'shared'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "statement",
    [
        "from millrace import entry",
        "from functions.authorize import app",
        "from functions.describe_api import app",
        "from functions.job_pickup import app",
        "from functions.operate import app",
        "from functions.run_job import app",
    ],
)
def test_without_routes_neither_the_resolver_nor_pydantic_is_imported(statement: str):
    assert heavy_imports(statement) == set()


@pytest.mark.parametrize("function", ["create_job", "job_status", "manage"])
def test_routes_bring_the_resolver_and_pydantic_alone(function: str):
    assert heavy_imports(f"from functions.{function} import app") == {
        "pydantic",
        "aws_lambda_powertools.event_handler",
    }


@pytest.mark.parametrize("function", MOST_MODULES)
def test_a_function_imports_no_more_modules_than_it_did(function: str):
    code = f"import sys; at_start = set(sys.modules); from functions.{function} import app"

    assert run_fresh(f"{code}; print(len(set(sys.modules) - at_start))") <= MOST_MODULES[function]


def test_every_function_is_counted():
    assert {path.parent.name for path in (ROOT / "functions").glob("*/app.py")} == set(MOST_MODULES)


def test_who_creates_jobs_pays_for_no_scoring():
    code = "import json, sys; from functions.create_job import app"

    assert run_fresh(f"{code}; print(json.dumps('millrace.domain.scoring' in sys.modules))") is False

"""GET /openapi.json and /docs: served by a function that needs neither configuration nor the layer."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_description_is_served_with_nothing_but_the_functions_own_files():
    event = (ROOT / "events/describe_api/for_programs.json").read_text()
    code = "import json, sys, app; print(json.dumps(app.handler(json.load(sys.stdin), None)))"

    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=ROOT / "functions/describe_api", env={}, input=event, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["openapi"].startswith("3.1")

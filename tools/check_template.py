"""Lints template.yaml twice: as it is written, and as the resources that SAM makes of it.

cfn-lint passes over what SAM generates (permissions, routes, the schedule), so that is made here and linted
as the plain template it is. `make template` runs it in .venv-sam.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse
from transform import REGION, transform

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
REGIONS = (REGION, "eu-central-1")


def main(template: Path) -> int:
    """0 when there is nothing to be found fault with."""
    quiet = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}
    validated = run([str(BIN / "sam"), "validate", "--lint", "--template", str(template)], quiet)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "template.json")
        plain.write_text(json.dumps(transform(yaml_parse(template.read_text(encoding="utf-8"))), indent=1))
        linted = run([str(BIN / "cfn-lint"), "--regions", *REGIONS, "--template", str(plain)], quiet)
    return max(validated, linted)


def run(command: list[str], environment: dict[str, str]) -> int:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "template.yaml"))

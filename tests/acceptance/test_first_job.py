"""The first job of docs/deploy.md: its lines, as they stand there, in a shell."""

import json
import os
import re
import subprocess
from pathlib import Path

from tests.acceptance.conftest import CALLER, ROOT, System

PAGE = (ROOT / "docs/deploy.md").read_text()
(LINES,) = re.findall(r"^```sh\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
# Of the last answer nothing is printed but the job's id: the tests poll it themselves.
FIRST_JOB = LINES + '\nprintf "\\n%s" "$JOB"'


def test_the_page_leads_from_a_key_to_a_job_that_is_done(system: System, tmp_path: Path):
    told = {
        "ApiUrl": str(system.client.base_url).rstrip("/"),
        "KEY": "test-token",
        "SITE": CALLER["X-Site-Id"],
    }

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", FIRST_JOB],
        cwd=tmp_path, env={**os.environ, **told}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    job = system.wait_for(done.stdout.splitlines()[-1])
    assert (job["status"], job["lead_id"]) == ("completed", "first"), json.dumps(job)

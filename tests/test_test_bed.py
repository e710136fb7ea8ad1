"""The test bed keeps its own promises."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_pytest(folder, test):
    (folder / "test_planted.py").write_text(test)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "test_planted.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers/shared'}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skipped_test_fails_the_run(tmp_path):
    ended = run_pytest(tmp_path, "import pytest\ndef test_it(): getattr(pytest, 'skip')('no server')")

    assert ended.returncode == 1
    assert "a skipped test counts as failed" in ended.stdout


def test_a_run_without_a_skipped_test_passes(tmp_path):
    ended = run_pytest(tmp_path, "def test_it(clock): assert clock.now() < clock.advance(minutes=5)")

    assert ended.returncode == 0, ended.stdout

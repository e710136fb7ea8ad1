"""The test bed keeps its own promises."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

A_KEY = """
from millrace.domain.keys import make_key
from tests.databases import on_sqlite
from tests.factories import add_key, add_tenant
key = make_key("key_" + 32 * "0", secret=1)
"""


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


@pytest.mark.parametrize("planted", ["print(key.token)", "add_tenant(db), add_key(db, key.token)"])
def test_a_key_that_a_test_has_left_in_its_output_or_in_a_row_fails_it(tmp_path, planted):
    ended = run_pytest(tmp_path, f"{A_KEY}\n@on_sqlite\ndef test_it(db): {planted}")

    assert ended.returncode == 1
    assert "mrk_live_" in ended.stdout


def test_what_is_shown_of_a_key_is_no_leak(tmp_path):
    ended = run_pytest(tmp_path, f"{A_KEY}\n@on_sqlite\ndef test_it(db): print(key.shown, key.id)")

    assert ended.returncode == 0, ended.stdout

"""Changed code is taken up while requests go on; code that does not start changes nothing."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.acceptance.conftest import CALLER, ROOT, START_SECONDS
from tests.postgres_server import free_port

COPIED = ("layers", "functions", "local", "migrations")
WORDS = "Job not found or access denied"


@dataclass
class Checkout:
    """A copy of the code that a test may change, and the system that runs from it."""

    folder: Path
    client: httpx.Client
    process: "subprocess.Popen[bytes]"

    def message(self) -> str:
        return str(self.client.get("/api/ops/ai-evaluation-jobs/job_0").json()["message"])

    def change(self, old: str, new: str) -> None:
        path = self.folder / "layers/shared/millrace/errors/refusals.py"
        path.write_text(path.read_text().replace(old, new))

    def said(self) -> str:
        return (self.folder / "log.txt").read_text()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while not holds():
            assert time.monotonic() < give_up_at, self.said()
            time.sleep(0.05)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", tmp_path)
    port = free_port()
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.run", "--port", str(port)],
            cwd=tmp_path,
            stdout=log,
            stderr=subprocess.STDOUT,
            # As under make: should the tests be killed, it ends too.
            env={**os.environ, "MAKELEVEL": "1", "PYTHONPATH": "layers/shared:."},
        )
        # A connection for each request: one kept open may be closed just as the next request sets out.
        headers = {**CALLER, "Connection": "close"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=40) as client:
            checkout = Checkout(tmp_path, client, process)
            checkout.wait_until(lambda: "Millrace serves on" in checkout.said())
            yield checkout
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def test_changed_code_is_taken_up_and_no_request_is_lost(checkout: Checkout):
    assert checkout.message() == WORDS
    stop, heard, failures = threading.Event(), set[str](), list[Exception]()

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                heard.add(checkout.message())
            except (httpx.HTTPError, ValueError, KeyError) as error:
                failures.append(error)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    checkout.change(WORDS, "There is no such job")
    checkout.wait_until(lambda: "The new code serves." in checkout.said())
    stop.set()
    asking.join()

    assert failures == []
    assert checkout.message() == "There is no such job"
    assert heard <= {WORDS, "There is no such job"}


def test_code_that_does_not_start_leaves_the_code_before_it_serving(checkout: Checkout):
    checkout.change("class JobNotFound", "class class JobNotFound")
    checkout.wait_until(lambda: "That code does not start" in checkout.said())

    assert checkout.message() == WORDS

    checkout.change("class class JobNotFound", "class JobNotFound")
    checkout.wait_until(lambda: "The new code serves." in checkout.said())

    assert checkout.message() == WORDS


def test_a_template_that_an_editor_puts_in_place_anew_is_taken_up_each_time(checkout: Checkout):
    for number in (1, 2):
        saved = checkout.folder / "template.yaml.saved"
        saved.write_text(f"{(checkout.folder / 'template.yaml').read_text()}# Saved {number}\n")
        saved.replace(checkout.folder / "template.yaml")

        checkout.wait_until(lambda: checkout.said().count("The new code serves.") == number)  # noqa: B023

    assert checkout.said().count("Changed: template.yaml.") == 2


def test_ctrl_c_before_it_serves_ends_it_without_a_welcome(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run", "--port", str(free_port()), "--data", str(tmp_path)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # The first thing that is made of all that comes before serving.
    while not (tmp_path / "millrace.db").exists():
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_ctrl_c_ends_supervisor_and_server_alike(checkout: Checkout):
    checkout.process.send_signal(signal.SIGINT)

    assert checkout.process.wait(30) == 0
    assert checkout.said().endswith("goes on at the next start.\n")
    with pytest.raises(httpx.ConnectError):
        checkout.message()

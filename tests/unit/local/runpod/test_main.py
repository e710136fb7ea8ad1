"""`python -m local.runpod`, started as a person starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.runpod.__main__ import read_arguments
from tests.runpod_bed import receiver

ROOT = Path(__file__).parents[4]
ENOUGH = 60


@contextmanager
def started(*arguments):
    """The running program, and the address that it says it serves on."""
    program = subprocess.Popen(
        [sys.executable, "-m", "local.runpod", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"layers/shared{os.pathsep}.", "RUNPOD_API_KEY": "of-the-test"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = next(found[1] for line in program.stdout if (found := re.search(r"(http://[\d.:]+/v2) ", line)))
        yield program, url
    finally:
        program.kill()
        program.communicate()


def test_it_serves_runs_the_worker_tells_the_webhook_and_ends_when_told_to():
    arguments = (
        "--port",
        "0",
        "--",
        sys.executable,
        "-m",
        "local.runpod.worker",
        "tests.runpod_worker:handle",
    )
    with (
        receiver() as hook,
        started(*arguments) as (program, url),
        httpx.Client(base_url=f"{url}/local/", headers={"Authorization": "Bearer of-the-test"}) as client,
    ):
        client.post("run", json={"input": {"say": "hello"}, "webhook": hook.url}).raise_for_status()
        give_up_at = time.monotonic() + ENOUGH
        while not hook.told and time.monotonic() < give_up_at:
            time.sleep(0.02)
        program.send_signal(signal.SIGTERM)

        assert program.wait(ENOUGH) == 0

    assert [(told["status"], told["output"]) for told in hook.told] == [("COMPLETED", {"say": "hello"})]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "local.runpod", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"layers/shared{os.pathsep}."},
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_help_names_every_fault():
    said = run("--help").stdout

    assert "lose_webhook" in said
    assert "kill_worker" in said


def test_the_command_that_its_help_gives_is_one_it_takes():
    said = " ".join(run("--help").stdout.split())
    command = re.search(r"such as: (-- python -m \S+ \S+)", said)[1].split()

    assert read_arguments(command).command == command[1:]


def test_a_fault_that_is_none_is_refused_with_those_there_are():
    ended = run("--misbehave", "explode=1", "true")

    assert ended.returncode == 2
    assert "explode is none of answer_429" in ended.stderr


def test_a_port_that_is_taken_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]), "true")

    assert ended.returncode == 1
    assert "cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr

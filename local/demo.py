"""`make demo`: takes jobs through their whole life over HTTP, as any client would, and shows the results."""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.demo_data import DEMO_SITE, TOKEN
from local.settings import PORT, ROOT

START_SECONDS = 60.0
JOB_SECONDS = 90.0
POLL_SECONDS = 0.2
ANSWER_SECONDS = 35
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "X-Site-Id": DEMO_SITE,
    "X-User-Id": "user_xyz",
    "Content-Type": "application/json",
}
FINAL = {"completed", "failed", "cancelled"}


class DemoFailed(Exception):
    """Something was not as it should be. The message says what."""


@dataclass(slots=True)
class Case:
    """A lead, what must come of it (an error's code where there can be no result), and how far it is."""

    lead_id: str
    story: str
    expected: tuple[str, ...]
    job_id: str = ""
    status: str = "-"
    asked_at: float = 0.0
    seconds: float = 0.0
    result: tuple[str, ...] = field(default=())
    note: str = ""


def cases() -> list[Case]:
    return [
        Case("lead_demo_steady", "good income, three years employed", ("100", "A", "approve")),
        Case("lead_demo_newcomer", "new in the job", ("75", "B", "approve_with_conditions")),
        Case("lead_demo_stretched", "low income, returned payments", ("45", "C", "reject")),
        Case("lead_demo_altered", "a pay slip was tampered with", ("50", "B", "reject")),
        Case("lead_demo_empty", "handed in no documents", ("InsufficientDocuments",)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo", description="Take jobs through their whole life."
    )
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("PORT") or PORT), help=f"default {PORT}"
    )
    port = parser.parse_args().port
    try:
        with running_system(port) as url:
            demonstrate(url)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\nEverything went as it should.")
    return 0


def demonstrate(url: str) -> None:
    refuse_strangers(url)
    todo = cases()
    print(f"Asking for {len(todo)} evaluations on {url} ...")
    for case in todo:
        accept(url, case=case)
        print(f"  {case.lead_id:<20} accepted as {case.job_id}")
    follow(url, todo=todo)
    print_table(todo)
    wrong = [case for case in todo if case.result != case.expected]
    if wrong:
        details = "; ".join(f"{case.lead_id}: {case.result} instead of {case.expected}" for case in wrong)
        raise DemoFailed(f"wrong results: {details}")


def refuse_strangers(url: str) -> None:
    """Without a key nobody is let in, and with the wrong one neither."""
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 403)):
        call("GET", f"{url}/api/ops/ai-evaluation-jobs/job_none", headers=headers, expect={status})
    print("No key: 401. A wrong key: 403.")


def accept(url: str, *, case: Case) -> None:
    case.asked_at = time.monotonic()
    path = f"{url}/api/ops/leads/{case.lead_id}/ai-evaluation"
    _, answer = call("POST", path, body={"force_refresh": True}, expect={201, 409})
    # A run of the demo that was broken off may have left its job behind: then that one is followed.
    case.job_id = answer["data"]["job_id"] if "data" in answer else answer.get("job_id", "")
    if not case.job_id:
        raise DemoFailed(f"{case.lead_id} was not accepted: {answer}")
    case.status = "pending"


def follow(url: str, *, todo: list[Case]) -> None:
    """Ask for each job until all are final, and draw how far they are."""
    give_up_at = time.monotonic() + JOB_SECONDS
    drawn = draw(todo, over=[])
    while waiting := [case for case in todo if case.status not in FINAL]:
        if time.monotonic() > give_up_at:
            raise DemoFailed(
                f"not done after {JOB_SECONDS:g} s: {', '.join(case.lead_id for case in waiting)}"
            )
        for case in waiting:
            poll(url, case=case)
        drawn = draw(todo, over=drawn)
        time.sleep(POLL_SECONDS)


def draw(todo: list[Case], *, over: list[str]) -> list[str]:
    """On a terminal the lines are drawn over those of before; elsewhere only the new ones are printed."""
    lines = [f"  {bar(case.status)} {case.lead_id:<20} {case.status:<10} {case.story}" for case in todo]
    if sys.stdout.isatty():
        up = f"\x1b[{len(over)}A" if over else ""
        print(up + "\n".join(f"\x1b[2K{line}" for line in lines), flush=True)
    else:
        new = [line for line in lines if line not in over]
        print("\n".join(new) + "\n" if new else "", end="", flush=True)
    return lines


def poll(url: str, *, case: Case) -> None:
    status, answer = call("GET", f"{url}/api/ops/ai-evaluation-jobs/{case.job_id}", expect={200, 202})
    job = answer["data"]
    case.status = job["status"]
    if (status == 200) != (case.status in FINAL):
        raise DemoFailed(f"{case.lead_id} is {case.status}, and that was answered with {status}")
    if case.status == "completed":
        evaluation = job["evaluation"]
        case.result = (str(evaluation["score"]), evaluation["label"], evaluation["recommendation"])
        case.note = ", ".join(evaluation["fraud_signals"] + evaluation["risk_flags"])
    elif case.status in FINAL:
        case.result = (job.get("error_code") or case.status,)
    case.seconds = time.monotonic() - case.asked_at


def print_table(done: list[Case]) -> None:
    rows: list[tuple[str, ...]] = [("lead", "status", "after", "score", "label", "recommendation", "found")]
    for case in done:
        result = case.result if len(case.result) == 3 else ("-", "-", *case.result)
        rows.append((case.lead_id, case.status, f"{case.seconds:.2f} s", *result, case.note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def bar(status: str) -> str:
    filled = {"pending": 1, "processing": 2}.get(status, 4)
    return "[" + "#" * filled + "." * (4 - filled) + "]"


def call(
    method: str,
    url: str,
    *,
    expect: set[int],
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer. DemoFailed when the status is not one of those expected."""
    content = None if body is None else json.dumps(body).encode()
    given = HEADERS if headers is None else headers
    request = urllib.request.Request(url, content, given, method=method)  # noqa: S310 - of ours, and http
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read()
    except OSError as error:
        raise DemoFailed(f"{method} {url}: {error}") from error
    if status not in expect:
        raise DemoFailed(f"{method} {url} was answered with {status}: {text.decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(text)
    return status, answer


@contextmanager
def running_system(port: int) -> Iterator[str]:
    """Where the system answers. What was not running is started, and ended afterwards."""
    url = f"http://127.0.0.1:{port}"
    if answers(url):
        yield url
        return
    print("Millrace is not running: starting it for the demo ...")
    log = ROOT / ".millrace" / "demo.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "local.run", "--port", str(port), "--until-stdin-ends"]
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_answering(url, process=process, log=str(log))
        yield url
    finally:
        process.communicate()


def wait_until_answering(url: str, *, process: "subprocess.Popen[bytes]", log: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise DemoFailed(f"Millrace does not start; {log} says why")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        call("GET", f"{url}/api/ops/ai-evaluation-jobs/job_none", headers={}, expect={401})
    except DemoFailed as failure:
        if isinstance(failure.__cause__, OSError):
            return False
        raise DemoFailed(f"something else than Millrace answers on {url}") from failure
    return True


if __name__ == "__main__":
    sys.exit(main())

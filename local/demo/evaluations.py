"""Evaluations in the demo: asked for, followed, and compared with what must come of them."""

import sys
import time
from dataclasses import dataclass, field

from local.demo.client import Client, DemoFailed
from local.demo.table import print_table
from local.demo_data import DEMO_SITE, TOKEN

JOB_SECONDS = 90.0
POLL_SECONDS = 0.2
FINAL = {"completed", "failed", "cancelled"}
HEADINGS = ("lead", "status", "after", "score", "label", "recommendation", "found")


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


def show_evaluations(url: str) -> None:
    """DemoFailed when one comes out otherwise than it must."""
    client = Client.of(url, token=TOKEN, X_Site_Id=DEMO_SITE)
    todo = cases()
    print(f"Asking for {len(todo)} evaluations on {url} ...")
    for case in todo:
        accept(client, case=case)
        print(f"  {case.lead_id:<20} accepted as {case.job_id}")
    follow(client, todo=todo)
    print_table(HEADINGS, [row_of(case) for case in todo])
    wrong = [case for case in todo if case.result != case.expected]
    if wrong:
        details = "; ".join(f"{case.lead_id}: {case.result} instead of {case.expected}" for case in wrong)
        raise DemoFailed(f"wrong results: {details}")


def accept(client: Client, *, case: Case) -> None:
    case.asked_at = time.monotonic()
    path = f"/api/ops/leads/{case.lead_id}/ai-evaluation"
    _, answer = client.call("POST", path, body={"force_refresh": True}, expect={201, 409})
    # A run of the demo that was broken off may have left its job behind: then that one is followed.
    case.job_id = answer["data"]["job_id"] if "data" in answer else answer.get("job_id", "")
    if not case.job_id:
        raise DemoFailed(f"{case.lead_id} was not accepted: {answer}")
    case.status = "pending"


def follow(client: Client, *, todo: list[Case]) -> None:
    """Ask for each job until all are final, and draw how far they are."""
    give_up_at = time.monotonic() + JOB_SECONDS
    drawn = draw(todo, over=[])
    while waiting := [case for case in todo if case.status not in FINAL]:
        if time.monotonic() > give_up_at:
            raise DemoFailed(
                f"not done after {JOB_SECONDS:g} s: {', '.join(case.lead_id for case in waiting)}"
            )
        for case in waiting:
            poll(client, case=case)
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


def poll(client: Client, *, case: Case) -> None:
    status, answer = client.call("GET", f"/api/ops/ai-evaluation-jobs/{case.job_id}", expect={200, 202})
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


def row_of(case: Case) -> tuple[str, ...]:
    result = case.result if len(case.result) == 3 else ("-", "-", *case.result)
    return (case.lead_id, case.status, f"{case.seconds:.2f} s", *result, case.note)


def bar(status: str) -> str:
    filled = {"pending": 1, "processing": 2}.get(status, 4)
    return "[" + "#" * filled + "." * (4 - filled) + "]"

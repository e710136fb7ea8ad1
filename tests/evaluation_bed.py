"""A lead with documents and a job, and everything that it takes to run that job."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from millrace.bindings.ai import AI
from millrace.bindings.database import Database, Result, Row, Statement
from millrace.bindings.folder import FolderBucket
from millrace.domain.jobs import EVALUATION
from millrace.domain.questions import ModelAnswer, Question
from millrace.env import Config, Env
from millrace.errors import BucketError, DatabaseUnavailable
from millrace.store import jobs
from millrace.workloads.attempt import Ending
from millrace.workloads.runner import run_one
from tests.clock import Clock
from tests.factories import add_house, add_lead, ledger_sum, new_id, recount, used

# Four thousand six hundred dollars a month, for three and a half years.
SLIP = b"""\
Harbour Bakery LLC
EARNINGS STATEMENT
Pay period: 11/01/2025 - 11/15/2025   Pay date: 11/14/2025   Hire date: 05/02/2022
Gross pay           $2,300.00
Total deductions      $420.55
Net pay             $1,879.45
"""
FACTS = {
    "extracted_data": {
        "monthly_income": 4600,
        "employer": "Harbour Bakery",
        "employment_duration_months": 42,
        "bank_balance": None,
        "document_quality": "excellent",
    },
    "risk_flags": [],
    "fraud_signals": [],
    "summary": "A baker.",
}


class Bell:
    """A queue that remembers how it was rung."""

    configured = True

    def __init__(self) -> None:
        self.rings: list[tuple[str, int]] = []

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        self.rings.append((kind, delay_seconds))


class BrokenBucket:
    def get(self, key: str, *, most_bytes: int) -> bytes | None:
        raise BucketError("connection reset")


class Blinking:
    """A database that is away when a move is to be made, as often as it is told, and then is back.

    Each blink is "before" the move is made, or "after" it was, when only the answer is lost. `move` are words
    of the move's own statement.
    """

    def __init__(self, db: Database, *, move: str, blinks: Iterable[str]):
        self._db = db
        self._move = move
        self._blinks = iter(blinks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def prepare(self, sql: str) -> Statement:
        return replace(self._db.prepare(sql), executor=self)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        blink = next(self._blinks, None) if self._move in statements[0].sql else None
        if blink == "before":
            raise DatabaseUnavailable
        results = self._db.batch(statements)
        if blink == "after":
            raise DatabaseUnavailable
        return results


class Model:
    """A provider that does what it is told (says a text, raises, calls), the last thing again and again."""

    def __init__(self, *doings: str | Exception | Callable[[], str]):
        self.doings = list(doings)
        self.questions: list[Question] = []

    def run(self, model: str, question: Question) -> ModelAnswer:
        self.questions.append(question)
        doing = self.doings.pop(0) if len(self.doings) > 1 else self.doings[0]
        if isinstance(doing, Exception):
            raise doing
        text = doing() if callable(doing) else doing
        return ModelAnswer(
            text, model_version="test/model@7", input_tokens=1_200, output_tokens=80, cost_microusd=42
        )


class Bed:
    """One lead in one database. `job`, `lead` and `evaluation` are its rows as they are now."""

    def __init__(self, db: Database, *, clock: Clock, folder: Path):
        self.db = db
        self.bucket = FolderBucket(folder, now=clock.now)
        self.bell = Bell()
        self.clock = clock
        add_house(db)
        self.lead_id = add_lead(db)

    def add_document(
        self, content: bytes | None = SLIP, *, mime_type: str = "text/plain", **columns: Any
    ) -> None:
        """None is a row whose file is missing. `columns` are those that it has besides, or instead."""
        document_id = new_id("doc")
        row = {
            "id": document_id,
            "tenant_id": "tenant_a",
            "lead_id": self.lead_id,
            "document_type": "pay_stub",
            "file_name": "slip.txt",
            "size_bytes": len(content or b""),
            "mime_type": mime_type,
            "storage_key": f"tenant_a/{document_id}",
            "uploaded_at": self.clock.now(),
        } | columns
        if content is not None:
            self.bucket.put(row["storage_key"], content, content_type=mime_type)
        places = ", ".join(f"?{place}" for place in range(1, len(row) + 1))
        insert = self.db.prepare(f"INSERT INTO lead_documents ({', '.join(row)}) VALUES ({places})")
        insert.bind(*row.values()).run()

    def env(self, *, model: Model | None = None, bucket: Any = None, db: Any = None) -> Env:
        """With the rules, or with a model that does as it is told in their place."""
        providers = {"local/rules": lambda: model} if model else None
        ai = AI(["local/rules"], providers=providers, seconds=lambda: self.clock.now().timestamp())
        return Env(
            Config(database_url="sqlite:///nowhere.db"),
            DB=db or self.db,
            BUCKET=bucket or self.bucket,
            QUEUE=self.bell,
            AI=ai,
            now=self.clock.now,
            random=lambda: 0.5,
            wait=lambda seconds: self.clock.advance(seconds=seconds),
        )

    def run(self, *, seconds_left: Callable[[], float] = lambda: 900.0, **given: Any) -> Ending | None:
        return run_one("evaluation", self.env(**given), worker_id="worker_a", seconds_left=seconds_left)

    def cancel(self) -> None:
        moved = jobs.cancel(
            self.db,
            EVALUATION,
            self.job["id"],
            tenant_id="tenant_a",
            move_id=new_id("move"),
            now=self.clock.now(),
        )
        assert moved

    def turn_to_another_lead(self) -> None:
        self.lead_id = add_lead(self.db)

    def set_lead(self, **columns: Any) -> None:
        """Write over columns of the lead's row, as whoever looks after leads does."""
        assigned = ", ".join(f"{column} = ?{place}" for place, column in enumerate(columns, start=2))
        self.db.prepare(f"UPDATE leads SET {assigned} WHERE id = ?1").bind(
            self.lead_id, *columns.values()
        ).run()

    @property
    def calls(self) -> list[Row]:
        """Every call of a model that was recorded, the first one first."""
        return self.db.prepare("SELECT * FROM usage_records ORDER BY id").all().results

    @property
    def job(self) -> Row:
        return self._only_row("ai_evaluation_jobs WHERE lead_id = ?1")

    @property
    def lead(self) -> Row:
        return self._only_row("leads WHERE id = ?1")

    @property
    def evaluation(self) -> Row:
        return self._only_row("lead_ai_evaluations WHERE lead_id = ?1")

    def is_charged(self, count: int) -> bool:
        """By the counter, the ledger and the jobs alike."""
        return used(self.db) == ledger_sum(self.db) == recount(self.db) == count

    def _only_row(self, rows: str) -> Row:
        (row,) = self.db.prepare(f"SELECT * FROM {rows}").bind(self.lead_id).all().results
        return row

"""An evaluation by a model that costs money, and what is set aside and spent of its tenant's day."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from millrace.bindings.ai import AI
from millrace.bindings.database import Database, Row
from millrace.domain.model_access import ModelAccess
from millrace.domain.pricing import Price
from millrace.domain.spending import LIMIT_SETTING
from millrace.env import Env
from millrace.store import evaluations, settings, spend_drift
from tests.evaluation_bed import FACTS, Bed, Model
from tests.factories import BY, NOW, new_id, order_for

MODEL = "openai/paid"
# A dollar for a million tokens: a micro-dollar for each.
ACCESS = ModelAccess(prices={MODEL: Price(1_000_000, 1_000_000)})
# What the tests' model says that it has read and written.
REAL = 1_280
ANSWER = json.dumps(FACTS)
SPEND = "SELECT * FROM quota_entries WHERE meter = 'spend' ORDER BY created_at, call, kind <> 'reserve'"


class PaidBed(Bed):
    """With one document. `now` of its own moves with the clock."""

    def accept(self, **changes: Any) -> str:
        """A job of the lead's, of the model that costs money."""
        order = order_for(self.lead_id, force_refresh=True)
        order = evaluations.Order(
            order.tenant_id, order.site_id, order.lead_id, order.requested_by, MODEL, **changes
        )
        made = evaluations.create(self.db, order, job_id=new_id("job"), now=self.clock.now())
        return str(made.facts["job_id"])

    def env(self, *, model: Model | None = None, bucket: Any = None, db: Any = None) -> Env:
        env = super().env(bucket=bucket, db=db)
        told = model or Model(ANSWER)
        env.AI = AI([MODEL], access=ACCESS, providers={"openai/": lambda: told})
        return env

    def limit(self, dollars: str | None) -> None:
        limit_spend(self.db, dollars, now=self.clock.now())

    @property
    def day(self) -> Row:
        (row,) = self.db.prepare("SELECT * FROM daily_spend ORDER BY day DESC LIMIT 1").all().results
        return row

    @property
    def entries(self) -> list[tuple[str, str, str]]:
        """Of the ledger: which attempt, of which day, and what."""
        rows = self.db.prepare(SPEND).all().results
        return [(row["call"], row["period"], row["kind"]) for row in rows]

    @property
    def moves(self) -> list[tuple[str, str | None]]:
        rows = self.db.prepare("SELECT move, detail FROM job_events ORDER BY created_at, id").all().results
        return [(row["move"], row["detail"].get("error_code")) for row in rows]


def limit_spend(db: Database, dollars: str | None, *, now: datetime = NOW) -> None:
    """As an operator does."""
    value = None if dollars is None else Decimal(dollars)
    settings.change(db, {LIMIT_SETTING: value}, tenant_id="tenant_a", by=BY, now=now)


def spent(db: Database) -> int:
    """Of all days, set aside or for good."""
    total = "SELECT CAST(COALESCE(SUM(used), 0) AS BIGINT) AS n FROM daily_spend"
    return int(db.prepare(total).first("n"))


def books_agree(db: Database) -> bool:
    """Of what was spent and of what users have used."""
    found = [spend_drift.find_spent(db), spend_drift.find_used(db)]
    return [row for one in found for row in (*one.listed, *one.charges)] == []

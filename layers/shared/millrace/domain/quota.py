"""What is sold and how much of it each tier has. The one place where the numbers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Meter:
    """Something sold by the period: the counter's table, and that table's own words."""

    name: str
    counter: str
    subject: str
    period: str
    used: str
    limit: str
    tiers: Mapping[str, int]


EVALUATIONS = Meter(
    name="evaluations",
    counter="ai_evaluation_usage",
    subject="site_id",
    period="month",
    used="evaluation_count",
    limit="quota_limit",
    tiers={"free": 20, "pro": 100, "enterprise": 1_000},
)


def month_of(moment: datetime) -> str:
    """The UTC month, as `2025-12`."""
    return moment.strftime("%Y-%m")

"""Plays EventBridge Scheduler: reads rate() and cron() expressions and fires what they say."""

import calendar
import logging
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from local.intrinsics import ACCOUNT_ID, REGION, TemplateInvalid
from local.runtime import FunctionFailed
from local.template import Schedule

logger = logging.getLogger("local")

UNITS = {"minute": "minutes", "hour": "hours", "day": "days"}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
# EventBridge counts the days of the week from Sunday, which is 1.
WEEKDAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
FURTHEST = timedelta(days=366 * 5)


class Expression(Protocol):
    def next_after(self, moment: datetime) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Rate:
    every: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.every


@dataclass(frozen=True, slots=True)
class Cron:
    """The values each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        candidate = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while candidate < moment + FURTHEST:
            if not self._takes_day(candidate):
                candidate = candidate.replace(hour=0, minute=0) + timedelta(days=1)
            elif candidate.hour not in self.hours:
                candidate = candidate.replace(minute=0) + timedelta(hours=1)
            elif candidate.minute not in self.minutes:
                candidate += timedelta(minutes=1)
            else:
                return candidate
        raise TemplateInvalid("a cron expression that never comes true")

    def _takes_day(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7 + 1
        return (
            day.year in self.years
            and day.month in self.months
            and day.day in self.days
            and weekday in self.weekdays
        )


def read_expression(text: str) -> Expression:
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text):
        return Rate(timedelta(**{UNITS[found[2]]: int(found[1])}))
    fields = text.removeprefix("cron(").removesuffix(")").split()
    if not text.startswith("cron(") or len(fields) != 6:
        raise TemplateInvalid(f"not a schedule the local cloud can read: {text}")
    return Cron(
        minutes=_values(fields[0], least=0, most=59),
        hours=_values(fields[1], least=0, most=23),
        days=_values(fields[2], least=1, most=31),
        months=_values(fields[3], least=1, most=12, names=MONTHS),
        weekdays=_values(fields[4], least=1, most=7, names=WEEKDAYS),
        years=_values(fields[5], least=1970, most=2199),
    )


def _values(text: str, *, least: int, most: int, names: dict[str, int] | None = None) -> frozenset[int]:
    """What one field allows: `*`, `?`, numbers, names, ranges, lists and steps."""

    def number(word: str) -> int:
        value = (names or {}).get(word.upper()) or int(word)
        if not least <= value <= most:
            raise ValueError(word)
        return value

    allowed: set[int] = set()
    try:
        for part in text.split(","):
            span, _, step = part.partition("/")
            first, _, last = span.partition("-")
            if span in {"*", "?"}:
                start, end = least, most
            else:
                start = number(first)
                end = number(last) if last else most if step else start
            allowed.update(range(start, end + 1, int(step or 1)))
    except ValueError as error:
        raise TemplateInvalid(f"the local cloud cannot read {text} in a cron expression") from error
    return frozenset(allowed)


def spellings(expression: str) -> list[str]:
    """What a schedule may be called by hand: as the template has it, or in the five fields of a crontab."""
    if found := re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression):
        every = "*" if found[1] == "1" else f"*/{found[1]}"
        crontab = {"minute": f"{every} * * * *", "hour": f"0 {every} * * *", "day": f"0 0 {every} * *"}
        return [expression, crontab[found[2]]]
    fields = expression.removeprefix("cron(").removesuffix(")").replace("?", "*").split()
    return [expression, " ".join(fields[:5])]


class ScheduleUnknown(Exception):
    """No schedule is called this. `known` is what may be asked for."""

    def __init__(self, expression: str, *, known: list[str]):
        self.known = known
        super().__init__(f"no schedule is {expression!r}")


@dataclass(frozen=True, slots=True)
class Fired:
    schedule: Schedule
    succeeded: bool
    answer: Any


class Schedules:
    """Fires every schedule when the local cloud starts, and then as its expression says."""

    def __init__(
        self,
        schedules: tuple[Schedule, ...],
        *,
        invoke: Callable[[str, Any], Any],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._schedules = schedules
        self._expressions = {one.name: read_expression(one.expression) for one in schedules}
        self._invoke = invoke
        self._now = now
        self._stopped = threading.Event()

    def start(self) -> None:
        for schedule in self._schedules:
            threading.Thread(target=self._keep_firing, args=[schedule], daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def fire_like(self, expression: str | None) -> list[Fired]:
        """Fire the schedules with this expression now, or all. Raises ScheduleUnknown when none has it."""
        wanted = [one for one in self._schedules if expression in (None, *spellings(one.expression))]
        if expression is not None and not wanted:
            known = sorted({spelling for one in self._schedules for spelling in spellings(one.expression)})
            raise ScheduleUnknown(expression, known=known)
        return [self.fire(one) for one in wanted]

    def fire(self, schedule: Schedule) -> Fired:
        try:
            answer = self._invoke(schedule.function, to_event(schedule, now=self._now()))
        except FunctionFailed as failure:
            return Fired(schedule, succeeded=False, answer=str(failure))
        return Fired(schedule, succeeded=True, answer=answer)

    def _keep_firing(self, schedule: Schedule) -> None:
        # What a process before this one left undone is found now, not in a minute.
        due = self._now()
        while not self._stopped.wait(max(0.0, (due - self._now()).total_seconds())):
            try:
                self.fire(schedule)
            except Exception:
                logger.exception("%s could not be fired", schedule.name)
            due = self._expressions[schedule.name].next_after(max(due, self._now() - timedelta(minutes=1)))


def to_event(schedule: Schedule, *, now: datetime) -> dict[str, Any]:
    """What EventBridge Scheduler sends to a function that was given no input of its own."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{schedule.name}"],
        "detail": "{}",
    }

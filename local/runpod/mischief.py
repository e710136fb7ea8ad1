"""What a provider may do wrong, as a closed list: by chance, or the next time it could."""

import random
import threading
from collections import Counter, deque
from collections.abc import Mapping
from enum import StrEnum


class Fault(StrEnum):
    """Of its API, its webhooks, the callbacks of its workers, and its machines."""

    ANSWER_429 = "answer_429"
    ANSWER_500 = "answer_500"
    ANSWER_404 = "answer_404"
    # Done, but not said.
    ANSWER_NULL = "answer_null"
    HANG = "hang"
    CUT = "cut"

    LOSE_WEBHOOK = "lose_webhook"
    DOUBLE_WEBHOOK = "double_webhook"
    DELAY_WEBHOOK = "delay_webhook"
    REORDER_WEBHOOK = "reorder_webhook"

    LOSE_CALLBACK = "lose_callback"
    LOSE_CALLBACK_ANSWER = "lose_callback_answer"
    DOUBLE_CALLBACK = "double_callback"
    DELAY_CALLBACK = "delay_callback"
    REORDER_CALLBACK = "reorder_callback"

    KILL_WORKER = "kill_worker"


ANSWERS = tuple(fault for fault in Fault if fault.startswith("answer_") or fault in (Fault.HANG, Fault.CUT))
WEBHOOKS = tuple(fault for fault in Fault if fault.endswith("_webhook"))
CALLBACKS = tuple(fault for fault in Fault if "_callback" in fault)


class Mischief:
    """`rates` are chances from 0 to 1. `done` counts what has been done wrong."""

    def __init__(self, rates: Mapping[Fault, float] | None = None, *, seed: int | None = None):
        self._rates = dict(rates or {})
        # Not for secrets: the same seed does the same wrong.
        self._random = random.Random(seed)  # noqa: S311
        self._ordered: deque[Fault] = deque()
        self._deciding = threading.Lock()
        self.done: Counter[Fault] = Counter()

    def do_next(self, *faults: Fault) -> None:
        """Do these, in this order, each as soon as there is an occasion for it; then chance goes on."""
        with self._deciding:
            self._ordered.extend(faults)

    def pick(self, among: tuple[Fault, ...]) -> Fault | None:
        """The fault for this occasion, if any."""
        with self._deciding:
            fault = self._decide(among)
            if fault is not None:
                self.done[fault] += 1
            return fault

    def concerns(self, faults: tuple[Fault, ...]) -> bool:
        """Whether one of them could ever be done."""
        with self._deciding:
            return any(self._rates.get(fault) or fault in self._ordered for fault in faults)

    def _decide(self, among: tuple[Fault, ...]) -> Fault | None:
        if self._ordered and self._ordered[0] in among:
            return self._ordered.popleft()
        for fault in among:
            if self._random.random() < self._rates.get(fault, 0):
                return fault
        return None


def read_rates(text: str) -> dict[Fault, float]:
    """`lose_webhook=0.1,hang=0.01`. ValueError names what is wrong."""
    rates = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, chance = entry.partition("=")
        if name not in list(Fault):
            raise ValueError(f"{name} is none of {', '.join(Fault)}")
        rates[Fault(name)] = float(chance)
        if not 0 <= rates[Fault(name)] <= 1:
            raise ValueError(f"{name} must be from 0 to 1")
    return rates

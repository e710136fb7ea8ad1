"""What calls of models cost: prices by the million tokens, and whole micro-dollars for each call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MILLION = 1_000_000
AMOUNT = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
ENTRY = re.compile(rf"(?P<model>[^\s=,]+)=(?P<input>{AMOUNT})/(?P<output>{AMOUNT})")


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars for a million tokens, those that a model reads and those that it writes."""

    input_microusd: int
    output_microusd: int

    def cost(self, *, input_tokens: int, output_tokens: int) -> int:
        """In micro-dollars, rounded up once for the whole call: what costs something never counts as free."""
        exact = input_tokens * self.input_microusd + output_tokens * self.output_microusd
        return -(-exact // MILLION)


def read_prices(text: str) -> Mapping[str, Price]:
    """`model=0.049/0.68, …`: dollars for a million tokens in and out, as providers' price lists say them.

    ValueError when an entry is not written so, or a model is there twice.
    """
    prices: dict[str, Price] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        read = ENTRY.fullmatch(entry)
        if read is None or read["model"] in prices:
            raise ValueError(f"no price, or one too many: {entry}")
        prices[read["model"]] = Price(microusd(read["input"]), microusd(read["output"]))
    return prices


def microusd(dollars: str) -> int:
    whole, _, cents = dollars.partition(".")
    return int(whole) * MILLION + int(cents.ljust(6, "0"))

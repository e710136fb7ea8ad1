"""What a set of rows amounts to, in whatever order they come: how many, and one hash over all of them."""

import hashlib
from dataclasses import dataclass

MODULUS = 1 << 256


@dataclass(slots=True)
class Tally:
    """The sum of the rows' SHA-256: one changed, missing or doubled row changes it; their order does not."""

    rows: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest())) % MODULUS

    @property
    def digest(self) -> str:
        return f"{self.total:064x}"

    @classmethod
    def of(cls, rows: int, digest: str) -> "Tally":
        return cls(rows, int(digest, 16))

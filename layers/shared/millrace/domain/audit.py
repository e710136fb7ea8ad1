"""The audit log: who does something, and the chain of hashes that shows what was changed afterwards."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Literal, Self

Action = Literal[
    "key_issued",
    "key_rotated",
    "key_revoked",
    "setting_changed",
    "tenant_tier_changed",
    "tenant_limit_changed",
    "site_tier_changed",
    "site_limit_changed",
    "evaluation_overridden",
    "lead_deleted",
    "job_deleted",
]

COMMAND_LINE = "command line"
# What a hash is made of, besides its place, its time and the hash before it.
SEALED = ("id", "tenant_id", "action", "subject", "person", "key_id", "source", "before", "after")


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and from where. `person` is whom the caller names; an operator has no key."""

    person: str | None
    key_id: str | None
    source: str
    new_id: Callable[[], str]

    @classmethod
    def operator(cls, new_id: Callable[[], str]) -> Self:
        return cls(person=None, key_id=None, source=COMMAND_LINE, new_id=new_id)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry's place in the chain, and its hash. Before the first there is place 0, without a hash."""

    place: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold. `id` None: what stood there is gone."""

    place: int
    id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Walk:
    """The chain as far as it has been walked, and where it broke, if it did.

    `known` is what somebody wrote down elsewhere of it: who can write all that is here could make it anew.
    """

    known: Link = Link()
    link: Link = Link()
    broken: Break | None = None

    def over(self, entries: Iterable[Mapping[str, Any]]) -> "Walk":
        """On over sealed entries in the order of their places, each with its `seal` if one was set there."""
        walk = self
        for entry in entries:
            if walk.broken:
                break
            walk = walk._step(entry)
        return walk

    def end(self, *, last_seal: int) -> "Walk":
        """There is nothing more: as many as were sealed must have been met."""
        if self.broken or self.link.place >= max(last_seal, self.known.place):
            return self
        return self._break(None, "the entry is gone, and so is all that was sealed after it")

    def _step(self, entry: Mapping[str, Any]) -> "Walk":
        expected = self.link.place + 1
        if entry["place"] != expected:
            return self._break(None, f"the entry is gone: the next one has place {entry['place']}")
        if entry["hash"] != hash_of(entry, place=expected, previous=self.link.hash):
            return self._break(entry["id"], "it is not what was sealed here")
        link = Link(expected, entry["hash"])
        if entry["seal"] not in (None, link.hash) or (self.known.place == expected and self.known != link):
            return self._break(entry["id"], "it has another hash than it once had: the chain was made anew")
        return replace(self, link=link)

    def _break(self, entry_id: str | None, why: str) -> "Walk":
        return replace(self, broken=Break(self.link.place + 1, entry_id, why))


def hash_of(entry: Mapping[str, Any], *, place: int, previous: str) -> str:
    """SHA-256 over the hash before it and the entry at this place, the same from either database."""
    created_at = entry["created_at"].astimezone(UTC).isoformat(timespec="microseconds")
    said = {name: entry[name] for name in SEALED} | {"place": place, "created_at": created_at}
    canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()

"""The audit log: written beside what it tells of, sealed into a chain of hashes, and checked."""

from collections.abc import Iterator
from datetime import datetime

from millrace.bindings.database import Database, Row, Statement, Value
from millrace.domain.audit import Action, Author, Link, Walk, hash_of
from millrace.domain.pages import Page
from millrace.errors import AuditChainBroken, ConstraintBroken
from millrace.store.pages import newest

# One statement each, of a batch that may have a thousand.
MOST_SEALED = 500
CHECKED_AT_ONCE = 1_000
# Whichever of them notices first that the place has its entry.
TAKEN = ("one_audit_entry_per_place", "audit_seals_pkey", "audit_log_stays")

# Read first: the chain itself may only grow meanwhile.
LAST_SEAL = "SELECT place, hash FROM audit_seals ORDER BY place DESC LIMIT 1"
HEAD = "SELECT place, hash FROM audit_log WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1"
UNSEALED = "SELECT * FROM audit_log WHERE place IS NULL ORDER BY created_at, id LIMIT ?1"
# Only right behind the entry that its hash was made of.
SEAL = """
UPDATE audit_log SET place = ?2, hash = ?3
WHERE id = ?1 AND place IS NULL
  AND (?2 = 1 OR EXISTS (SELECT 1 FROM audit_log AS last WHERE last.place = ?2 - 1 AND last.hash = ?4))
"""
MARK = """
INSERT INTO audit_seals (place, hash, created_at) SELECT place, hash, ?2 FROM audit_log WHERE place = ?1
"""
SEALED = """
SELECT entry.*, seal.hash AS seal
FROM audit_log AS entry LEFT JOIN audit_seals AS seal ON seal.place = entry.place
WHERE entry.place > ?1 ORDER BY entry.place LIMIT ?2
"""


def note(
    db: Database,
    by: Author,
    *,
    action: Action,
    subject: str,
    tenant_id: str,
    now: datetime,
    before: str,
    after: str,
    where: str,
    values: tuple[Value, ...] = (),
) -> Statement:
    """An entry, to stand in the batch of what it tells of. None is written if `where` finds no row.

    `before`, `after` and `where` (from its FROM on) are SQL, whose values come after eight of the entry's: ?2
    is the time, ?3 the tenant, ?5 the subject. What is personal or secret is not to be told.
    """
    return db.prepare(f"""
        INSERT INTO audit_log (id, created_at, tenant_id, action, subject, person, key_id, source,
                               before, after)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, {before}, {after} {where}
    """).bind(by.new_id(), now, tenant_id, action, subject, by.person, by.key_id, by.source, *values)


def seal(db: Database, *, now: datetime, most: int = MOST_SEALED) -> Link | None:
    """Give the oldest unsealed entries their places and hashes. The chain's new end; None if it has none.

    Whoever does so at the same moment gives the same places to the same entries, or else is refused: then it
    has been done. AuditChainBroken when the chain is shorter than it has been.
    """
    read = [db.prepare(LAST_SEAL), db.prepare(HEAD), db.prepare(UNSEALED).bind(most)]
    last_seal, head, unsealed = db.batch(read)
    link = _link_of(head.first())
    check_length(link, last_seal=_link_of(last_seal.first()))
    seals = []
    for entry in unsealed.results:
        place, previous = link.place + 1, link.hash
        link = Link(place, hash_of(entry, place=place, previous=previous))
        seals.append(db.prepare(SEAL).bind(entry["id"], place, link.hash, previous))
    if not seals:
        return None
    try:
        *_, marked = db.batch([*seals, db.prepare(MARK).bind(link.place, now)])
    except ConstraintBroken as broken:
        if broken.constraint not in TAKEN:
            raise
        return None
    return link if marked.meta.changes else None


def check_length(link: Link, *, last_seal: Link) -> None:
    if link.place < last_seal.place:
        gone = f"of {last_seal.place} entries that were sealed, those after place {link.place} are gone"
        raise AuditChainBroken(f"The audit log has been shortened: {gone}.")


def verify(db: Database, *, known: Link) -> Walk:
    """Walk the whole chain, as it is while entries are added to it."""
    last_seal = _link_of(db.prepare(LAST_SEAL).first()).place
    walk = Walk(known)
    for entries in _pages(db):
        walk = walk.over(entries)
        if walk.broken:
            return walk
    return walk.end(last_seal=last_seal)


def count_unsealed(db: Database) -> int:
    return int(db.prepare("SELECT COUNT(*) AS n FROM audit_log WHERE place IS NULL").first("n"))


def list_newest(db: Database, *, tenant_id: str | None, page: Page) -> list[Row]:
    """A page of a tenant's entries, or of everybody's."""
    whose, values = ("tenant_id = ?1", (tenant_id,)) if tenant_id is not None else ("TRUE", ())
    select = f"SELECT * FROM audit_log WHERE {whose}"
    return newest(db, select, *values, page=page, at="created_at").all().results


def _link_of(row: Row | None) -> Link:
    return Link(row["place"], row["hash"]) if row else Link()


def _pages(db: Database) -> Iterator[list[Row]]:
    place: int = 0
    while rows := db.prepare(SEALED).bind(place, CHECKED_AT_ONCE).all().results:
        yield rows
        place = rows[-1]["place"]

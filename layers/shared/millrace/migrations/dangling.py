"""Rows that point at nothing: there are some when something wrote past the application."""

from collections import Counter

# One answer for each such row: its table, and the table that has not what it points at.
FIND = 'SELECT "table", parent FROM pragma_foreign_key_check'

# Differs: PostgreSQL has no such check. One answer for each foreign key: its table, the table it points at,
# and the statement that counts the rows. Only where this login sees all rows of both.
FOREIGN_KEYS = """
SELECT child.relname, parent.relname, format(
  'SELECT COUNT(*) FROM %I AS child WHERE %s AND NOT EXISTS (SELECT FROM %I AS parent WHERE %s)',
  child.relname, string_agg(format('child.%I IS NOT NULL', own.attname), ' AND '),
  parent.relname, string_agg(format('parent.%I = child.%I', theirs.attname, own.attname), ' AND ')
)
FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_class AS parent ON parent.oid = confrelid
CROSS JOIN LATERAL unnest(conkey, confkey) AS pair(own_number, their_number)
JOIN pg_attribute AS own ON own.attrelid = conrelid AND own.attnum = own_number
JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = their_number
WHERE contype = 'f' AND child.relnamespace = current_schema()::regnamespace
  AND has_table_privilege(conrelid, 'SELECT') AND NOT row_security_active(conrelid)
  AND has_table_privilege(confrelid, 'SELECT') AND NOT row_security_active(confrelid)
GROUP BY pg_constraint.oid, child.relname, parent.relname
ORDER BY 1, 2
"""


def describe(found: Counter[tuple[str, str]]) -> list[str]:
    """A line for each table and parent, to read."""
    return [
        f"{count} {'row' if count == 1 else 'rows'} of {table} {'points' if count == 1 else 'point'}"
        f" at nothing in {parent}"
        for (table, parent), count in sorted(found.items())
    ]

"""The schema of a PostgreSQL database, thing by thing, out of its catalogue."""

from millrace.migrations.history import TABLES
from millrace.migrations.targets import Schema, Target

# Not ours: what an extension brought, and the history's own tables.
OURS = f"""
WITH relation AS (
  SELECT oid, relname AS name, relkind AS kind, relrowsecurity, relforcerowsecurity, relacl, relowner,
    reloptions
  FROM pg_class AS c
  WHERE relnamespace = current_schema()::regnamespace AND relname NOT IN {TABLES} AND NOT EXISTS (
    SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'
  )
)
"""

TABLE = """
SELECT 'table ' || name, concat_ws(', ', CASE WHEN relrowsecurity THEN 'row security' END,
  CASE WHEN relforcerowsecurity THEN 'for its owner too' END)
FROM relation WHERE kind IN ('r', 'p')
"""
COLUMN = """
SELECT 'column ' || name || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
  CASE WHEN attnotnull THEN 'NOT NULL' END,
  CASE WHEN attidentity <> '' THEN 'IDENTITY' END,
  CASE WHEN attgenerated <> '' THEN 'GENERATED' END,
  'DEFAULT ' || pg_get_expr(adbin, adrelid, true))
FROM relation
JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE kind IN ('r', 'p') ORDER BY name, attnum
"""
# From version 18 on a column's NOT NULL is a constraint as well; here it is said with the column.
CONSTRAINT = """
SELECT 'constraint ' || name || '.' || conname, pg_get_constraintdef(pg_constraint.oid, true)
FROM relation JOIN pg_constraint ON conrelid = relation.oid WHERE contype NOT IN ('n', 't')
"""
INDEX = """
SELECT 'index ' || i.name,
  pg_get_indexdef(indexrelid, 0, true) || CASE WHEN indisvalid THEN '' ELSE ' (never built to its end)' END
FROM relation AS i JOIN pg_index ON indexrelid = i.oid JOIN relation AS indexed ON indexed.oid = indrelid
"""
TRIGGER = """
SELECT 'trigger ' || tgname || ' on ' || name,
  pg_get_triggerdef(pg_trigger.oid, true) || CASE tgenabled WHEN 'D' THEN ' (disabled)' ELSE '' END
FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE NOT tgisinternal
"""
VIEW = """
SELECT 'view ' || name, concat_ws(' ', array_to_string(reloptions, ', '), pg_get_viewdef(oid, true))
FROM relation WHERE kind IN ('v', 'm')
"""
SEQUENCE = """
SELECT 'sequence ' || name, '' FROM relation WHERE kind = 'S'
"""
POLICY = """
SELECT 'policy ' || polname || ' on ' || name, concat_ws(' ',
  CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, polcmd,
  'TO ' || (SELECT string_agg(COALESCE(rolname, 'public'), ', ' ORDER BY rolname)
            FROM unnest(polroles) AS role LEFT JOIN pg_roles ON pg_roles.oid = role),
  'USING ' || pg_get_expr(polqual, polrelid, true),
  'WITH CHECK ' || pg_get_expr(polwithcheck, polrelid, true))
FROM relation JOIN pg_policy ON polrelid = relation.oid
"""
# The owner's own rights go without saying.
GRANT = """
SELECT 'grant on ' || name || ' to ' || COALESCE(rolname, 'public'),
  string_agg(privilege_type, ', ' ORDER BY privilege_type)
FROM relation CROSS JOIN LATERAL aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE grantee <> relowner GROUP BY name, rolname
"""
GRANT_OF_COLUMN = """
SELECT 'grant on ' || name || '.' || attname || ' to ' || COALESCE(rolname, 'public'),
  string_agg(privilege_type, ', ' ORDER BY privilege_type)
FROM relation JOIN pg_attribute ON attrelid = relation.oid AND NOT attisdropped
CROSS JOIN LATERAL aclexplode(attacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE grantee <> relowner GROUP BY name, attname, rolname
"""
FUNCTION = """
SELECT 'function ' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  pg_get_functiondef(p.oid)
FROM pg_proc AS p
WHERE pronamespace = current_schema()::regnamespace AND prokind IN ('f', 'p') AND NOT EXISTS (
  SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e'
)
"""
OF_RELATIONS = (TABLE, COLUMN, CONSTRAINT, INDEX, TRIGGER, VIEW, SEQUENCE, POLICY, GRANT, GRANT_OF_COLUMN)


def read_schema(target: Target) -> Schema:
    here = target.execute("SELECT current_schema()")[0][0]
    rows = [row for select in OF_RELATIONS for row in target.execute(OURS + select)]
    rows += target.execute(FUNCTION)
    # The catalogue names the schema in some places; the same thing in another schema is the same thing.
    return {thing: " ".join(text.replace(f"{here}.", "").split()) for thing, text in rows}

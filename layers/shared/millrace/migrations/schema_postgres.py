"""The schema of a PostgreSQL database, thing by thing, out of its catalogue."""

from millrace.migrations.history import TABLES
from millrace.migrations.targets import Schema, Target

# Not ours: what an extension brought, and the history's own tables.
OURS = f"""
WITH relation AS (
  SELECT oid, relname AS name, relkind AS kind, relrowsecurity, relforcerowsecurity, relacl, relowner,
    relpersistence, reloptions
  FROM pg_class AS c
  WHERE relnamespace = current_schema()::regnamespace AND relname NOT IN {TABLES} AND NOT EXISTS (
    SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'
  )
)
"""

HISTORY_OWNER = "SELECT relowner FROM pg_class WHERE oid = to_regclass('schema_migrations')"

TABLE = """
SELECT 'table ' || name, concat_ws(', ', CASE WHEN relrowsecurity THEN 'row security' END,
  CASE WHEN relforcerowsecurity THEN 'for its owner too' END,
  CASE relpersistence WHEN 'p' THEN NULL WHEN 'u' THEN 'unlogged' ELSE 'temporary' END)
FROM relation WHERE kind IN ('r', 'p')
"""
# Everything belongs to whom the history belongs to. Only what does not is told.
FOREIGN_OWNER = f"""
SELECT 'owner of ' || name, relowner::regrole::text FROM relation
WHERE kind <> 'i' AND relowner <> ({HISTORY_OWNER})
"""
COLUMN = """
SELECT 'column ' || name || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),
  CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END,
  CASE WHEN attnotnull THEN 'NOT NULL' END,
  CASE WHEN attidentity <> '' THEN 'IDENTITY' END,
  CASE WHEN attgenerated <> '' THEN 'GENERATED' END,
  'DEFAULT ' || pg_get_expr(adbin, adrelid, true))
FROM relation
JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_type ON pg_type.oid = atttypid
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
  pg_get_triggerdef(pg_trigger.oid, true) || CASE tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' (disabled)'
  ELSE ' (not enabled as usual)' END
FROM relation JOIN pg_trigger ON tgrelid = relation.oid WHERE NOT tgisinternal
"""
# A foreign key holds by triggers of the server's own, which are told of only where somebody turned them off.
FOREIGN_KEY_OFF = """
SELECT DISTINCT 'disabled ' || conname || ' on ' || name, ''
FROM relation JOIN pg_trigger ON tgrelid = relation.oid JOIN pg_constraint ON pg_constraint.oid = tgconstraint
WHERE tgisinternal AND tgenabled <> 'O'
"""
RULE = """
SELECT 'rule ' || rulename || ' on ' || name, pg_get_ruledef(pg_rewrite.oid, true)
FROM relation JOIN pg_rewrite ON ev_class = relation.oid WHERE rulename <> '_RETURN'
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
PRIVILEGES = """string_agg(
    concat_ws(' ', privilege_type, CASE WHEN is_grantable THEN 'WITH GRANT OPTION' END),
    ', ' ORDER BY privilege_type
  )"""
# The owner's own rights go without saying.
GRANT = f"""
SELECT 'grant on ' || name || ' to ' || COALESCE(rolname, 'public'), {PRIVILEGES}
FROM relation CROSS JOIN LATERAL aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE grantee <> relowner GROUP BY name, rolname
"""
GRANT_OF_COLUMN = f"""
SELECT 'grant on ' || name || '.' || attname || ' to ' || COALESCE(rolname, 'public'), {PRIVILEGES}
FROM relation JOIN pg_attribute ON attrelid = relation.oid AND NOT attisdropped
CROSS JOIN LATERAL aclexplode(attacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE grantee <> relowner GROUP BY name, attname, rolname
"""
OUR_FUNCTIONS = """
WITH routine AS (
  SELECT oid, proname || '(' || pg_get_function_identity_arguments(oid) || ')' AS name, proowner, proacl
  FROM pg_proc AS p
  WHERE pronamespace = current_schema()::regnamespace AND prokind IN ('f', 'p') AND NOT EXISTS (
    SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e'
  )
)
"""
FUNCTION = f"""
SELECT 'function ' || name, concat_ws(' ', pg_get_functiondef(oid),
  CASE WHEN proowner <> ({HISTORY_OWNER}) THEN 'OWNER ' || proowner::regrole END)
FROM routine
"""
# Anybody may call a function, unless somebody has said otherwise.
GRANT_OF_FUNCTION = f"""
SELECT 'grant on function ' || name || ' to ' || COALESCE(rolname, 'public'), {PRIVILEGES}
FROM routine CROSS JOIN LATERAL aclexplode(COALESCE(proacl, acldefault('f', proowner)))
LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE grantee <> proowner GROUP BY name, rolname
"""
# Who may add things of his own. How the schema itself came to be is no migration's business.
GRANT_OF_SCHEMA = f"""
SELECT 'grant on the schema to ' || COALESCE(rolname, 'public'), {PRIVILEGES}
FROM pg_namespace CROSS JOIN LATERAL aclexplode(nspacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
WHERE pg_namespace.oid = current_schema()::regnamespace AND privilege_type = 'CREATE'
  AND grantee NOT IN (nspowner, ({HISTORY_OWNER})) GROUP BY rolname
"""
TYPE = """
SELECT 'type ' || typname, concat_ws(' ',
  CASE typtype WHEN 'e' THEN 'ENUM' WHEN 'd' THEN 'DOMAIN' ELSE 'RANGE' END,
  format_type(NULLIF(typbasetype, 0), typtypmod),
  (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
   FROM pg_enum WHERE enumtypid = t.oid),
  (SELECT string_agg(pg_get_constraintdef(c.oid, true), ' ' ORDER BY conname)
   FROM pg_constraint AS c WHERE contypid = t.oid))
FROM pg_type AS t
WHERE typnamespace = current_schema()::regnamespace AND typtype IN ('e', 'd', 'r') AND NOT EXISTS (
  SELECT 1 FROM pg_depend WHERE classid = 'pg_type'::regclass AND objid = t.oid AND deptype = 'e'
)
"""
# Whoever is, by himself or as a member, one whom policies do not bind: above them all, or an owner.
UNBOUND_ROLES = """
SELECT rolname, string_agg(DISTINCT free, ', ' ORDER BY free)
FROM pg_roles AS role CROSS JOIN LATERAL (
  SELECT CASE WHEN rolsuper THEN 'superuser' WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'the owner' END AS free
  FROM pg_roles AS power
  WHERE pg_has_role(role.oid, power.oid, 'MEMBER') AND (rolsuper OR rolbypassrls OR power.oid IN (
    SELECT relowner FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity
  ))
) AS powers
WHERE role.oid IN (
  SELECT unnest(polroles) FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
  WHERE relnamespace = current_schema()::regnamespace
)
GROUP BY rolname ORDER BY rolname
"""
OF_RELATIONS = (
    TABLE,
    FOREIGN_OWNER,
    COLUMN,
    CONSTRAINT,
    INDEX,
    TRIGGER,
    FOREIGN_KEY_OFF,
    RULE,
    VIEW,
    SEQUENCE,
    POLICY,
    GRANT,
    GRANT_OF_COLUMN,
)
OF_FUNCTIONS = (FUNCTION, GRANT_OF_FUNCTION)
OF_THE_SCHEMA = (GRANT_OF_SCHEMA, TYPE)


def read_schema(target: Target) -> Schema:
    here = target.execute("SELECT current_schema()")[0][0]
    rows = [row for select in OF_RELATIONS for row in target.execute(OURS + select)]
    rows += [row for select in OF_FUNCTIONS for row in target.execute(OUR_FUNCTIONS + select)]
    rows += [row for select in OF_THE_SCHEMA for row in target.execute(select)]
    # The catalogue names the schema in some places; the same thing in another schema is the same thing.
    return {thing: " ".join(text.replace(f"{here}.", "").split()) for thing, text in rows}


def list_unbound_roles(target: Target) -> list[str]:
    found = target.execute(UNBOUND_ROLES)
    return [f"{name} is not bound by row-level security: {why}" for name, why in found]

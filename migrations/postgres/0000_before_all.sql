-- migrate:up

-- Differs: SQLite has json_valid() for text; a JSONB value is valid by being there, so the CHECKs read the same.
CREATE FUNCTION json_valid(document JSONB) RETURNS BOOLEAN
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT true';

-- Roles belong to the server, not to the database: another database may have made them, perhaps at this moment.
DO $$
BEGIN
  CREATE ROLE millrace_api LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  CREATE ROLE millrace_engine LOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

-- migrate:down

-- The roles stay: other databases of this server may use them.
DROP FUNCTION json_valid(JSONB);

-- migrate:up

-- Differs: SQLite has json_valid() for text; a JSONB value is valid by being there, so the CHECKs read the same.
CREATE FUNCTION json_valid(document JSONB) RETURNS BOOLEAN
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT true';

-- Differs: the same for a text, which may hold anything. Until version 16 only a cast can tell.
CREATE FUNCTION json_valid(document TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  RETURN CAST(document AS JSON) IS NOT NULL;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN false;
END
$$;

-- Differs: SQLite has datetime(): what the clock in UTC shows at that moment. Without it DATE() of a time would
-- be the day where the session is; DATE(datetime(...)) is the same day on both, in any session.
CREATE FUNCTION datetime(moment TIMESTAMPTZ) RETURNS TIMESTAMP
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT moment AT TIME ZONE ''UTC''';

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
DROP FUNCTION datetime(TIMESTAMPTZ);
DROP FUNCTION json_valid(TEXT);
DROP FUNCTION json_valid(JSONB);

-- migrate:up

-- Who changed what a tenant may do or decided for a person: in the same batch as the change itself.
CREATE TABLE audit_log (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- NULL: an operator, at the command line.
  person TEXT,
  key_id TEXT,
  source TEXT NOT NULL,
  before JSONB NOT NULL,
  after JSONB NOT NULL,
  -- Its place in the chain, counted from 1, and SHA-256 over the hash before it and all the rest of the row.
  -- NULL until the minute's schedule has sealed it; then never changed again.
  place BIGINT,
  hash TEXT,
  CONSTRAINT audit_before_is_json CHECK (json_valid(before)),
  CONSTRAINT audit_after_is_json CHECK (json_valid(after)),
  CONSTRAINT sealed_entry_has_place_and_hash CHECK ((place IS NULL) = (hash IS NULL))
);

CREATE UNIQUE INDEX one_audit_entry_per_place ON audit_log(place);
CREATE INDEX idx_audit_log_newest ON audit_log(created_at DESC, id DESC);
CREATE INDEX idx_audit_log_tenant ON audit_log(tenant_id, created_at DESC, id DESC);

-- How far the chain had come, each time that the schedule sealed: without it the last entries could be taken
-- away and nobody would miss them.
CREATE TABLE audit_seals (
  place BIGINT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL
);

-- migrate:down

DROP TABLE audit_seals;
DROP TABLE audit_log;

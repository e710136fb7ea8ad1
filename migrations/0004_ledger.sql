-- migrate:up

-- What was sold: one row for each reserve, settle and release. The sum of `amount` is what the counter says.
CREATE TABLE quota_entries (
  meter TEXT NOT NULL,
  subject TEXT NOT NULL,
  period TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  charge_round INTEGER NOT NULL,
  -- Empty for a job's own charge; attempt and number for each paid call within it.
  call TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL,
  amount BIGINT NOT NULL,
  used_after BIGINT NOT NULL,
  limit_then BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (meter, job_id, charge_round, call, kind),
  CONSTRAINT quota_entry_kind_is_known CHECK (kind IN ('reserve', 'settle', 'release')),
  CONSTRAINT usage_within_quota CHECK (kind <> 'reserve' OR used_after <= limit_then)
);

CREATE UNIQUE INDEX one_ending_per_charge ON quota_entries(meter, job_id, charge_round, call)
  WHERE kind IN ('settle', 'release');
CREATE INDEX idx_quota_entries_subject ON quota_entries(meter, subject, period);

-- The timeline of every job, one row a move.
CREATE TABLE job_events (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  move TEXT NOT NULL,
  detail JSONB NOT NULL DEFAULT '{}',
  created_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT job_event_detail_is_json CHECK (json_valid(detail))
);

CREATE INDEX idx_job_events_job ON job_events(job_id, created_at);

CREATE TABLE idempotency_keys (
  tenant_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  facts JSONB DEFAULT '{}',
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, key),
  CONSTRAINT idempotency_facts_are_json CHECK (facts IS NULL OR json_valid(facts)),
  -- The request's last statement writes its facts. None means it was refused: then all of it is undone.
  CONSTRAINT only_accepted_requests_are_kept CHECK (facts IS NOT NULL)
);

CREATE INDEX idx_idempotency_keys_expiry ON idempotency_keys(expires_at);

-- migrate:down

DROP TABLE idempotency_keys;
DROP TABLE job_events;
DROP TABLE quota_entries;

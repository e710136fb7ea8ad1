-- migrate:up

-- Each call of an API during an enrichment, whatever became of it. A detail of its job, and deleted with it; what
-- outlives the job is in usage_records.
CREATE TABLE api_usage (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  job_id TEXT,
  record_id TEXT,
  tokens_used INTEGER,
  cost_microusd BIGINT NOT NULL,
  response_time_ms INTEGER,
  status_code INTEGER,
  request_size_bytes INTEGER,
  response_size_bytes INTEGER,
  error_message TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT api_usage_metrics_not_negative CHECK (
    COALESCE(tokens_used, 0) >= 0 AND COALESCE(response_time_ms, 0) >= 0
    AND COALESCE(request_size_bytes, 0) >= 0 AND COALESCE(response_size_bytes, 0) >= 0
  ),
  CONSTRAINT api_usage_cost_not_negative CHECK (cost_microusd >= 0),
  FOREIGN KEY (job_id) REFERENCES enrichment_jobs(id) ON DELETE CASCADE,
  FOREIGN KEY (record_id) REFERENCES enrichment_records(id) ON DELETE CASCADE
);

CREATE INDEX idx_api_usage_provider ON api_usage(provider);
CREATE INDEX idx_api_usage_created ON api_usage(tenant_id, created_at);
CREATE INDEX idx_api_usage_job ON api_usage(job_id);
CREATE INDEX idx_api_usage_record ON api_usage(record_id);

-- What each call of a model, and each attempt on a GPU, has used. Without a foreign key: it outlives the job.
CREATE TABLE usage_records (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  job_id TEXT,
  -- Which attempt at the job made the call, and the how manieth of its calls it was.
  attempt INTEGER NOT NULL DEFAULT 1,
  call INTEGER NOT NULL DEFAULT 1,
  site_id TEXT,
  timestamp TIMESTAMPTZ NOT NULL,
  -- The UTC day of it.
  date DATE NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  gpu_seconds INTEGER NOT NULL DEFAULT 0,
  cost_microusd BIGINT NOT NULL,
  iterations_run JSONB NOT NULL DEFAULT '[]',
  duration_ms INTEGER NOT NULL,
  CONSTRAINT usage_kind_is_known CHECK (kind IN ('evaluation', 'export', 'enrichment', 'story')),
  CONSTRAINT usage_metrics_not_negative CHECK (
    input_tokens >= 0 AND output_tokens >= 0 AND gpu_seconds >= 0 AND duration_ms >= 0
  ),
  CONSTRAINT usage_cost_not_negative CHECK (cost_microusd >= 0),
  CONSTRAINT usage_iterations_are_json CHECK (json_valid(iterations_run))
);

-- A call is recorded once; a re-run that cost again is another call.
CREATE UNIQUE INDEX one_record_per_call ON usage_records(kind, job_id, attempt, call);
CREATE INDEX idx_usage_tenant ON usage_records(tenant_id, date);
CREATE INDEX idx_usage_date ON usage_records(timestamp);
CREATE INDEX idx_usage_user_date ON usage_records(user_id, timestamp);
CREATE INDEX idx_usage_job ON usage_records(job_id);

CREATE TABLE daily_usage (
  tenant_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- The UTC day.
  date DATE NOT NULL,
  request_count INTEGER NOT NULL DEFAULT 0,
  input_tokens BIGINT NOT NULL DEFAULT 0,
  output_tokens BIGINT NOT NULL DEFAULT 0,
  cost_microusd BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, user_id, date),
  CONSTRAINT daily_counts_not_negative CHECK (
    request_count >= 0 AND input_tokens >= 0 AND output_tokens >= 0
  ),
  CONSTRAINT daily_cost_not_negative CHECK (cost_microusd >= 0)
);

-- migrate:down

DROP TABLE daily_usage;
DROP TABLE usage_records;
DROP TABLE api_usage;

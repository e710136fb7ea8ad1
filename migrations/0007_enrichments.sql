-- migrate:up

CREATE TABLE enrichment_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  user_id TEXT NOT NULL DEFAULT 'default',
  status TEXT NOT NULL DEFAULT 'pending',
  progress_message TEXT,

  -- Every record that is done with counts as processed, the failed ones among them.
  total_records INTEGER NOT NULL DEFAULT 0,
  processed_records INTEGER NOT NULL DEFAULT 0,
  failed_records INTEGER NOT NULL DEFAULT 0,

  -- Keys in the bucket.
  input_file_path TEXT NOT NULL,
  output_file_path TEXT,
  options JSONB NOT NULL DEFAULT '{}',

  estimated_cost_microusd BIGINT NOT NULL DEFAULT 0,
  actual_cost_microusd BIGINT NOT NULL DEFAULT 0,

  error_code TEXT,
  error_message TEXT,
  processing_time_seconds DOUBLE PRECISION,

  attempt INTEGER NOT NULL DEFAULT 0,
  last_move_id TEXT NOT NULL,
  run_after TIMESTAMPTZ NOT NULL,
  locked_until TIMESTAMPTZ,
  worker_id TEXT,
  retry_count INTEGER NOT NULL DEFAULT 0,
  max_retries INTEGER NOT NULL DEFAULT 3,
  model_called_at TIMESTAMPTZ,
  charge_round INTEGER NOT NULL DEFAULT 0,
  charged_period TEXT NOT NULL,

  created_at TIMESTAMPTZ NOT NULL,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  updated_at TIMESTAMPTZ NOT NULL,

  CONSTRAINT enrichment_status_is_known CHECK (
    status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')
  ),
  CONSTRAINT enrichment_counts_within_total CHECK (
    failed_records >= 0 AND failed_records <= processed_records AND processed_records <= total_records
  ),
  CONSTRAINT enrichment_options_are_json CHECK (json_valid(options)),
  CONSTRAINT enrichment_costs_not_negative CHECK (
    estimated_cost_microusd >= 0 AND actual_cost_microusd >= 0
  ),
  CONSTRAINT enrichment_time_not_negative CHECK (processing_time_seconds >= 0),
  CONSTRAINT enrichment_final_has_completed_at CHECK (
    (status IN ('pending', 'processing')) = (completed_at IS NULL)
  ),
  CONSTRAINT enrichment_processing_has_a_lease CHECK (
    status <> 'processing' OR (locked_until IS NOT NULL AND worker_id IS NOT NULL)
  ),
  CONSTRAINT enrichment_retries_within_limit CHECK (retry_count BETWEEN 0 AND max_retries),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_enrichment_jobs_user_id ON enrichment_jobs(user_id);
CREATE INDEX idx_enrichment_jobs_created_at ON enrichment_jobs(tenant_id, created_at DESC);

-- Where the claim and the rescue look: only at live jobs, however many have ended.
CREATE INDEX idx_enrichment_jobs_pending ON enrichment_jobs(tenant_id, run_after) WHERE status = 'pending';
CREATE INDEX idx_enrichment_jobs_locked ON enrichment_jobs(locked_until) WHERE status = 'processing';

CREATE TABLE enrichment_records (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  -- Its place in the file that was given.
  record_index INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',

  original_data JSONB NOT NULL,
  enriched_data JSONB,
  generated_content JSONB,

  processing_attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  processing_time_ms INTEGER,
  llm_tokens_used INTEGER,
  cost_microusd BIGINT NOT NULL DEFAULT 0,

  enrichment_confidence DOUBLE PRECISION,
  data_completeness DOUBLE PRECISION,

  created_at TIMESTAMPTZ NOT NULL,
  processed_at TIMESTAMPTZ,

  CONSTRAINT record_status_is_known CHECK (
    status IN ('pending', 'processing', 'enriched', 'failed', 'skipped')
  ),
  CONSTRAINT record_index_not_negative CHECK (record_index >= 0),
  CONSTRAINT record_data_is_json CHECK (
    json_valid(original_data) AND (enriched_data IS NULL OR json_valid(enriched_data))
    AND (generated_content IS NULL OR json_valid(generated_content))
  ),
  CONSTRAINT record_metrics_not_negative CHECK (
    processing_attempts >= 0 AND COALESCE(processing_time_ms, 0) >= 0 AND COALESCE(llm_tokens_used, 0) >= 0
  ),
  CONSTRAINT record_cost_not_negative CHECK (cost_microusd >= 0),
  CONSTRAINT record_confidence_in_range CHECK (enrichment_confidence BETWEEN 0 AND 1),
  CONSTRAINT record_completeness_in_range CHECK (data_completeness BETWEEN 0 AND 1),
  CONSTRAINT record_final_has_processed_at CHECK (
    status IN ('pending', 'processing') OR processed_at IS NOT NULL
  ),
  FOREIGN KEY (job_id) REFERENCES enrichment_jobs(id) ON DELETE CASCADE
);

-- It also finds all records of a job.
CREATE UNIQUE INDEX one_record_per_place ON enrichment_records(job_id, record_index);
CREATE INDEX idx_enrichment_records_job_status ON enrichment_records(job_id, status);

-- Where the next chunk of a job is taken from, however many of its records are done.
CREATE INDEX idx_enrichment_records_pending ON enrichment_records(job_id, record_index)
  WHERE status = 'pending';

-- For the success rate by day. Written as the view writes it, or it would not be used.
CREATE INDEX idx_enrichment_records_outcome ON enrichment_records(tenant_id, DATE(datetime(created_at)))
  WHERE status IN ('enriched', 'failed');

-- Every tenant's and nobody's: only what anybody may look up in public.
CREATE TABLE enrichment_cache (
  id TEXT NOT NULL PRIMARY KEY,
  cache_key TEXT NOT NULL,
  lookup_type TEXT NOT NULL,
  result_data JSONB,
  hit_count INTEGER NOT NULL DEFAULT 0,
  confidence_score DOUBLE PRECISION,
  source TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT cache_result_is_json CHECK (result_data IS NULL OR json_valid(result_data)),
  CONSTRAINT cache_hits_not_negative CHECK (hit_count >= 0),
  CONSTRAINT cache_confidence_in_range CHECK (confidence_score BETWEEN 0 AND 1)
);

CREATE UNIQUE INDEX one_result_per_key_and_type ON enrichment_cache(cache_key, lookup_type);
CREATE INDEX idx_cache_expires ON enrichment_cache(expires_at);

-- migrate:down

DROP TABLE enrichment_cache;
DROP TABLE enrichment_records;
DROP TABLE enrichment_jobs;

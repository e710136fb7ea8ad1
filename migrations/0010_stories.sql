-- migrate:up

CREATE TABLE story_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued',
  progress_message TEXT,

  story TEXT NOT NULL,
  iterations JSONB NOT NULL,
  options JSONB NOT NULL DEFAULT '{}',
  result JSONB,
  -- An object of code and message.
  error JSONB,

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

  CONSTRAINT story_status_is_known CHECK (
    status IN ('queued', 'processing', 'completed', 'failed', 'cancelled')
  ),
  CONSTRAINT story_input_is_json CHECK (json_valid(iterations) AND json_valid(options)),
  CONSTRAINT story_outcome_is_json CHECK (
    (result IS NULL OR json_valid(result)) AND (error IS NULL OR json_valid(error))
  ),
  CONSTRAINT story_final_has_completed_at CHECK (
    (status IN ('queued', 'processing')) = (completed_at IS NULL)
  ),
  CONSTRAINT story_processing_has_a_lease CHECK (
    status <> 'processing' OR (locked_until IS NOT NULL AND worker_id IS NOT NULL)
  ),
  CONSTRAINT story_completed_has_a_result CHECK (status <> 'completed' OR result IS NOT NULL),
  CONSTRAINT story_retries_within_limit CHECK (retry_count BETWEEN 0 AND max_retries),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_story_jobs_user ON story_jobs(user_id);
CREATE INDEX idx_story_jobs_tenant ON story_jobs(tenant_id);

-- Where the claim and the rescue look: only at live jobs, however many have ended.
CREATE INDEX idx_story_jobs_pending ON story_jobs(tenant_id, run_after) WHERE status = 'queued';
CREATE INDEX idx_story_jobs_locked ON story_jobs(locked_until) WHERE status = 'processing';

CREATE TABLE story_job_files (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  file_name TEXT NOT NULL,
  blob_path TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  uploaded_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT story_file_size_not_negative CHECK (size_bytes >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (job_id) REFERENCES story_jobs(id) ON DELETE CASCADE
);

CREATE INDEX idx_story_job_files_job ON story_job_files(job_id);

-- migrate:down

DROP TABLE story_job_files;
DROP TABLE story_jobs;

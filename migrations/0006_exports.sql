-- migrate:up

CREATE TABLE projects (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  -- Who owns it, within the tenant.
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_projects_user ON projects(tenant_id, user_id);

CREATE TABLE export_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  type TEXT NOT NULL,
  requested_by TEXT NOT NULL DEFAULT '',
  -- The user of the key that asked. Requests, tokens and live jobs count for them, whoever `requested_by` says.
  user_id TEXT NOT NULL DEFAULT '',
  -- The same for the same project, type, input and params. NULL: nobody minds a second one.
  request_hash TEXT,
  status TEXT NOT NULL DEFAULT 'pending',
  progress INTEGER NOT NULL DEFAULT 0,
  progress_message TEXT,

  -- Keys in the bucket.
  input_video_key TEXT NOT NULL,
  output_video_key TEXT,
  params JSONB NOT NULL,

  error_code TEXT,
  error TEXT,

  -- The GPU's side of it: asked for when, known there as, given up when, and what it took.
  submitted_at TIMESTAMPTZ,
  runpod_job_id TEXT,
  provider_deadline_at TIMESTAMPTZ,
  -- When its worker was first heard of.
  gpu_started_at TIMESTAMPTZ,
  -- What it is expected to take, and charged until it is known.
  gpu_seconds_reserved INTEGER NOT NULL DEFAULT 0,
  gpu_seconds INTEGER,
  cost_microusd BIGINT NOT NULL DEFAULT 0,

  attempt INTEGER NOT NULL DEFAULT 0,
  last_move_id TEXT NOT NULL,
  run_after TIMESTAMPTZ NOT NULL,
  locked_until TIMESTAMPTZ,
  worker_id TEXT,
  retry_count INTEGER NOT NULL DEFAULT 0,
  max_retries INTEGER NOT NULL DEFAULT 3,
  charge_round INTEGER NOT NULL DEFAULT 0,
  charged_period TEXT NOT NULL,

  created_at TIMESTAMPTZ NOT NULL,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  updated_at TIMESTAMPTZ NOT NULL,
  -- When what its other attempts may have left in the bucket was erased. It counts if it is after the end.
  outputs_swept_at TIMESTAMPTZ,

  CONSTRAINT export_status_is_known CHECK (
    status IN ('pending', 'processing', 'complete', 'error', 'cancelled')
  ),
  CONSTRAINT export_type_is_known CHECK (type IN ('framing', 'overlay', 'annotate')),
  CONSTRAINT export_progress_in_range CHECK (progress BETWEEN 0 AND 100),
  CONSTRAINT export_params_are_json CHECK (json_valid(params)),
  CONSTRAINT export_final_has_completed_at CHECK (
    (status IN ('pending', 'processing')) = (completed_at IS NULL)
  ),
  CONSTRAINT export_processing_has_a_lease CHECK (
    status <> 'processing' OR (locked_until IS NOT NULL AND worker_id IS NOT NULL)
  ),
  CONSTRAINT export_complete_has_an_output CHECK (status <> 'complete' OR output_video_key IS NOT NULL),
  CONSTRAINT export_submitted_has_a_deadline CHECK (
    submitted_at IS NULL OR provider_deadline_at IS NOT NULL
  ),
  CONSTRAINT export_retries_within_limit CHECK (retry_count BETWEEN 0 AND max_retries),
  CONSTRAINT export_gpu_seconds_not_negative CHECK (gpu_seconds >= 0 AND gpu_seconds_reserved >= 0),
  CONSTRAINT export_cost_not_negative CHECK (cost_microusd >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (project_id) REFERENCES projects(id)
);

CREATE INDEX idx_export_jobs_project_status ON export_jobs(project_id, status);
CREATE INDEX idx_export_jobs_runpod ON export_jobs(runpod_job_id);

-- The lists: of a project, or of a tenant, the newest first.
CREATE INDEX idx_export_jobs_project_newest ON export_jobs(tenant_id, project_id, created_at DESC, id DESC);
CREATE INDEX idx_export_jobs_newest ON export_jobs(tenant_id, created_at DESC, id DESC);

CREATE UNIQUE INDEX one_live_export_per_request ON export_jobs(project_id, request_hash)
  WHERE status IN ('pending', 'processing');

-- Where the claim and the rescue look: only at live jobs, however many have ended.
CREATE INDEX idx_export_jobs_pending ON export_jobs(tenant_id, run_after) WHERE status = 'pending';
CREATE INDEX idx_export_jobs_locked ON export_jobs(locked_until) WHERE status = 'processing';

-- Where the sweep looks: at those that have ended and were not swept since.
CREATE INDEX idx_export_jobs_unswept ON export_jobs(completed_at)
  WHERE completed_at IS NOT NULL AND (outputs_swept_at IS NULL OR outputs_swept_at < completed_at);

-- Exports that somebody has deleted, as long as files of theirs may be in the bucket, or come there.
CREATE TABLE removed_exports (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  -- The user of the key, for whom it counts should a provider tell only now what an attempt took.
  user_id TEXT NOT NULL DEFAULT '',
  -- How many attempts there were: each has a place of its own in the bucket.
  attempts INTEGER NOT NULL,
  removed_at TIMESTAMPTZ NOT NULL,
  -- When they are to be erased: at once, and once more when no link is left to write them by.
  erase_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT removed_export_was_attempted CHECK (attempts > 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_removed_exports_erase_at ON removed_exports(erase_at);
CREATE INDEX idx_export_jobs_live_of_user ON export_jobs(tenant_id, user_id) WHERE completed_at IS NULL;

-- migrate:down

DROP TABLE removed_exports;
DROP TABLE export_jobs;
DROP TABLE projects;

-- migrate:up

CREATE TABLE ai_evaluation_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lead_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',

  requested_by TEXT NOT NULL,
  -- The user of the key that asked. Requests, tokens and live jobs count for them, whoever `requested_by` says.
  user_id TEXT NOT NULL DEFAULT '',
  requested_at TIMESTAMPTZ NOT NULL,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,

  evaluation_id TEXT,
  error_code TEXT,
  error_message TEXT,

  retry_count INTEGER NOT NULL DEFAULT 0,
  max_retries INTEGER NOT NULL DEFAULT 3,
  model_version TEXT NOT NULL DEFAULT '@cf/meta/llama-3.2-11b-vision-instruct',

  -- Every job table has these: who holds it, until when, and what it was charged to.
  attempt INTEGER NOT NULL DEFAULT 0,
  last_move_id TEXT NOT NULL,
  run_after TIMESTAMPTZ NOT NULL,
  locked_until TIMESTAMPTZ,
  worker_id TEXT,
  progress_message TEXT,
  model_called_at TIMESTAMPTZ,
  charge_round INTEGER NOT NULL DEFAULT 0,
  charged_period TEXT NOT NULL,

  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,

  CONSTRAINT evaluation_status_is_known CHECK (
    status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')
  ),
  CONSTRAINT evaluation_final_has_completed_at CHECK (
    (status IN ('pending', 'processing')) = (completed_at IS NULL)
  ),
  CONSTRAINT evaluation_processing_has_a_lease CHECK (
    status <> 'processing' OR (locked_until IS NOT NULL AND worker_id IS NOT NULL)
  ),
  CONSTRAINT evaluation_completed_has_a_result CHECK (status <> 'completed' OR evaluation_id IS NOT NULL),
  CONSTRAINT evaluation_retries_within_limit CHECK (retry_count BETWEEN 0 AND max_retries),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (lead_id) REFERENCES leads(id),
  -- The move comes first in its batch and the evaluation after it, so the key is checked at the end.
  FOREIGN KEY (evaluation_id) REFERENCES lead_ai_evaluations(id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX idx_ai_jobs_lead_id ON ai_evaluation_jobs(lead_id);
CREATE INDEX idx_ai_jobs_site_id ON ai_evaluation_jobs(site_id);
CREATE INDEX idx_ai_jobs_requested_at ON ai_evaluation_jobs(requested_at DESC);
CREATE INDEX idx_ai_jobs_lead_status ON ai_evaluation_jobs(lead_id, status);
-- A site's list, page by page, and what its latest evaluations took.
CREATE INDEX idx_ai_jobs_newest ON ai_evaluation_jobs(site_id, requested_at DESC, id DESC);
CREATE INDEX idx_ai_jobs_recently_completed ON ai_evaluation_jobs(site_id, completed_at DESC)
  WHERE status = 'completed';

-- Where the claim and the rescue look: only at live jobs, however many have ended.
CREATE INDEX idx_ai_jobs_pending ON ai_evaluation_jobs(tenant_id, run_after) WHERE status = 'pending';
CREATE INDEX idx_ai_jobs_locked ON ai_evaluation_jobs(locked_until) WHERE status = 'processing';
-- A job is live until it has ended. Said by the status words, a claim could take this index for the one above.
CREATE UNIQUE INDEX one_live_job_per_lead ON ai_evaluation_jobs(lead_id) WHERE completed_at IS NULL;

CREATE INDEX idx_ai_jobs_live_of_user ON ai_evaluation_jobs(tenant_id, user_id) WHERE completed_at IS NULL;

CREATE TABLE ai_evaluation_usage (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  month TEXT NOT NULL,
  evaluation_count INTEGER NOT NULL DEFAULT 0,
  quota_limit INTEGER NOT NULL DEFAULT 20,
  tier TEXT NOT NULL DEFAULT 'free',
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT usage_tier_is_known CHECK (tier IN ('free', 'pro', 'enterprise')),
  CONSTRAINT evaluation_count_not_negative CHECK (evaluation_count >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (site_id) REFERENCES sites(id)
);

CREATE UNIQUE INDEX one_usage_per_site_and_month ON ai_evaluation_usage(site_id, month);

-- migrate:down

DROP TABLE ai_evaluation_usage;
DROP TABLE ai_evaluation_jobs;

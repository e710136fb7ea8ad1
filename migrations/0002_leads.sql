-- migrate:up

CREATE TABLE leads (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  first_name TEXT,
  last_name TEXT,
  email TEXT,
  phone TEXT,
  employment_status TEXT,
  monthly_income_microusd BIGINT,
  monthly_rent_microusd BIGINT,
  move_in_date DATE,
  status TEXT NOT NULL DEFAULT 'new',
  ai_score INTEGER,
  ai_label TEXT,
  -- The newest of lead_ai_evaluations. No foreign key: the two tables would then point at each other.
  latest_evaluation_id TEXT,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  -- When a person decided: from then on its documents are kept for a limited time.
  decided_at TIMESTAMPTZ,
  -- When that time was over and the documents went. NULL again with each new document.
  documents_deleted_at TIMESTAMPTZ,
  -- When all that was personal was taken out. The row stays, so that what points at it can be counted.
  deleted_at TIMESTAMPTZ,
  CONSTRAINT lead_status_is_known CHECK (
    status IN ('new', 'ai_evaluated', 'manual_review', 'approved', 'rejected', 'withdrawn', 'deleted')
  ),
  CONSTRAINT lead_decided_has_a_time CHECK (
    status NOT IN ('approved', 'rejected', 'withdrawn') OR decided_at IS NOT NULL
  ),
  CONSTRAINT lead_deleted_has_a_time CHECK (status <> 'deleted' OR deleted_at IS NOT NULL),
  CONSTRAINT lead_income_not_negative CHECK (monthly_income_microusd >= 0),
  CONSTRAINT lead_rent_not_negative CHECK (monthly_rent_microusd >= 0),
  CONSTRAINT lead_score_in_range CHECK (ai_score BETWEEN 0 AND 100),
  CONSTRAINT lead_label_is_known CHECK (ai_label IN ('A', 'B', 'C')),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (site_id) REFERENCES sites(id)
);

CREATE INDEX idx_leads_site ON leads(site_id, created_at DESC);
CREATE INDEX idx_leads_decided ON leads(decided_at)
  WHERE decided_at IS NOT NULL AND documents_deleted_at IS NULL;

CREATE TABLE lead_documents (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lead_id TEXT NOT NULL,
  document_type TEXT NOT NULL,
  file_name TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  mime_type TEXT NOT NULL,
  storage_key TEXT NOT NULL,
  checksum TEXT,
  -- Until when somebody may upload it. What is deleted is erased from the bucket after that.
  link_expires_at TIMESTAMPTZ,
  uploaded_at TIMESTAMPTZ,
  deleted_at TIMESTAMPTZ,
  erased_at TIMESTAMPTZ,
  CONSTRAINT document_size_not_negative CHECK (size_bytes >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (lead_id) REFERENCES leads(id)
);

CREATE INDEX idx_lead_documents_lead ON lead_documents(lead_id);
CREATE INDEX idx_lead_documents_to_erase ON lead_documents(deleted_at)
  WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX idx_lead_documents_abandoned ON lead_documents(link_expires_at)
  WHERE uploaded_at IS NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX one_document_per_storage_key ON lead_documents(storage_key);

CREATE TABLE lead_ai_evaluations (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lead_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  -- The job that made it; the job points back with a foreign key, so this one has none.
  job_id TEXT NOT NULL,
  score INTEGER NOT NULL,
  label TEXT NOT NULL,
  recommendation TEXT NOT NULL,
  summary TEXT NOT NULL,
  risk_flags JSONB NOT NULL DEFAULT '[]',
  fraud_signals JSONB NOT NULL DEFAULT '[]',
  extracted_data JSONB NOT NULL DEFAULT '{}',
  score_breakdown JSONB NOT NULL DEFAULT '[]',
  warnings JSONB NOT NULL DEFAULT '[]',
  model_version TEXT NOT NULL,
  evaluated_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT evaluation_score_in_range CHECK (score BETWEEN 0 AND 100),
  CONSTRAINT evaluation_label_is_known CHECK (label IN ('A', 'B', 'C')),
  CONSTRAINT evaluation_recommendation_is_known CHECK (
    recommendation IN ('approve', 'approve_with_conditions', 'approve_with_verification', 'reject')
  ),
  CONSTRAINT evaluation_lists_are_json CHECK (
    json_valid(risk_flags) AND json_valid(fraud_signals) AND json_valid(extracted_data)
    AND json_valid(score_breakdown) AND json_valid(warnings)
  ),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (lead_id) REFERENCES leads(id)
);

CREATE INDEX idx_lead_ai_evaluations_lead ON lead_ai_evaluations(lead_id, evaluated_at DESC);
CREATE UNIQUE INDEX one_evaluation_per_job ON lead_ai_evaluations(job_id);

-- What a person decided instead, beside what was recommended. The newest one holds.
CREATE TABLE evaluation_overrides (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lead_id TEXT NOT NULL,
  evaluation_id TEXT NOT NULL,
  new_recommendation TEXT NOT NULL,
  reason TEXT NOT NULL,
  overridden_by TEXT NOT NULL,
  overridden_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT override_recommendation_is_known CHECK (
    new_recommendation IN ('approve', 'approve_with_conditions', 'approve_with_verification', 'reject')
  ),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (lead_id) REFERENCES leads(id),
  FOREIGN KEY (evaluation_id) REFERENCES lead_ai_evaluations(id)
);

CREATE INDEX idx_evaluation_overrides_lead ON evaluation_overrides(lead_id, overridden_at DESC);
CREATE INDEX idx_evaluation_overrides_evaluation ON evaluation_overrides(evaluation_id, overridden_at DESC);

-- migrate:down

DROP TABLE evaluation_overrides;
DROP TABLE lead_ai_evaluations;
DROP TABLE lead_documents;
DROP TABLE leads;

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
  CONSTRAINT lead_income_not_negative CHECK (monthly_income_microusd >= 0),
  CONSTRAINT lead_rent_not_negative CHECK (monthly_rent_microusd >= 0),
  CONSTRAINT lead_score_in_range CHECK (ai_score BETWEEN 0 AND 100),
  CONSTRAINT lead_label_is_known CHECK (ai_label IN ('A', 'B', 'C')),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (site_id) REFERENCES sites(id)
);

CREATE INDEX idx_leads_site ON leads(site_id, created_at DESC);

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
  uploaded_at TIMESTAMPTZ,
  deleted_at TIMESTAMPTZ,
  CONSTRAINT document_size_not_negative CHECK (size_bytes >= 0),
  FOREIGN KEY (lead_id) REFERENCES leads(id)
);

CREATE INDEX idx_lead_documents_lead ON lead_documents(lead_id);
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
  FOREIGN KEY (lead_id) REFERENCES leads(id)
);

CREATE INDEX idx_lead_ai_evaluations_lead ON lead_ai_evaluations(lead_id, evaluated_at DESC);
CREATE UNIQUE INDEX one_evaluation_per_job ON lead_ai_evaluations(job_id);

-- migrate:down

DROP TABLE lead_ai_evaluations;
DROP TABLE lead_documents;
DROP TABLE leads;

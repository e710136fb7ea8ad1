-- migrate:up

CREATE TABLE email_templates (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  name TEXT NOT NULL,
  template_type TEXT NOT NULL,
  template_text TEXT NOT NULL,
  variables JSONB NOT NULL DEFAULT '[]',
  usage_count INTEGER NOT NULL DEFAULT 0,
  success_rate DOUBLE PRECISION,
  version INTEGER NOT NULL DEFAULT 1,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT template_type_is_known CHECK (template_type IN ('subject', 'body', 'icebreaker', 'hot_button')),
  CONSTRAINT template_variables_are_json CHECK (json_valid(variables)),
  CONSTRAINT template_usage_not_negative CHECK (usage_count >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_email_templates_tenant ON email_templates(tenant_id);

CREATE TABLE template_performance (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  template_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  open_rate DOUBLE PRECISION,
  response_rate DOUBLE PRECISION,
  conversion_rate DOUBLE PRECISION,
  created_at TIMESTAMPTZ NOT NULL,
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (template_id) REFERENCES email_templates(id),
  FOREIGN KEY (job_id) REFERENCES enrichment_jobs(id) ON DELETE CASCADE
);

CREATE INDEX idx_template_performance_template ON template_performance(template_id);
CREATE INDEX idx_template_performance_job ON template_performance(job_id);

CREATE TABLE conversations (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  current_state TEXT NOT NULL,
  conversation_history JSONB NOT NULL DEFAULT '[]',
  qualification_data JSONB NOT NULL DEFAULT '{}',
  last_message_at TIMESTAMPTZ,
  next_followup_at TIMESTAMPTZ,
  CONSTRAINT conversation_is_json CHECK (json_valid(conversation_history) AND json_valid(qualification_data)),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  FOREIGN KEY (record_id) REFERENCES enrichment_records(id) ON DELETE CASCADE
);

CREATE INDEX idx_conversations_record ON conversations(record_id);

CREATE TABLE crm_integrations (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  crm_type TEXT NOT NULL,
  -- As env.SEAL made it: readable only with the key, and only in this row.
  api_key TEXT NOT NULL,
  webhook_url TEXT,
  sync_enabled BOOLEAN NOT NULL DEFAULT TRUE,
  last_sync_at TIMESTAMPTZ,
  field_mappings JSONB NOT NULL DEFAULT '{}',
  CONSTRAINT crm_api_key_is_sealed CHECK (api_key LIKE 'sealed:%'),
  CONSTRAINT crm_mappings_are_json CHECK (json_valid(field_mappings)),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_crm_integrations_tenant ON crm_integrations(tenant_id);

-- migrate:down

DROP TABLE crm_integrations;
DROP TABLE conversations;
DROP TABLE template_performance;
DROP TABLE email_templates;

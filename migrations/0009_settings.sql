-- migrate:up

-- A tenant's own value, or with tenant_id NULL what holds for all who have none of their own.
CREATE TABLE settings (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  value_type TEXT NOT NULL DEFAULT 'string',
  description TEXT,
  -- NULL: as it was shipped.
  updated_at TIMESTAMPTZ,
  CONSTRAINT setting_type_is_known CHECK (value_type IN ('string', 'integer', 'float', 'boolean', 'json')),
  CONSTRAINT setting_json_is_valid CHECK (value_type <> 'json' OR json_valid(value)),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

-- Two, because a unique index takes any number of NULLs.
CREATE UNIQUE INDEX one_default_per_setting ON settings(key) WHERE tenant_id IS NULL;
CREATE UNIQUE INDEX one_value_per_tenant_and_setting ON settings(tenant_id, key) WHERE tenant_id IS NOT NULL;

INSERT INTO settings (id, key, value, value_type, description) VALUES
  ('default_llm_provider', 'llm_provider', 'openai', 'string', 'LLM provider to use'),
  ('default_llm_model', 'llm_model', 'gpt-4o-mini', 'string', 'Model name'),
  ('default_max_concurrent_enrichments', 'max_concurrent_enrichments', '3', 'integer',
   'Max parallel enrichments'),
  ('default_cache_ttl_days', 'cache_ttl_days', '7', 'integer', 'Cache expiry in days'),
  ('default_daily_spend_limit', 'daily_spend_limit', '100.0', 'float',
   'Maximum daily API spend, in US dollars'),
  ('default_enable_deep_search', 'enable_deep_search', 'true', 'boolean', 'Enable deep web search');

-- migrate:down

DROP TABLE settings;

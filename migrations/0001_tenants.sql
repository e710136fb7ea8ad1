-- migrate:up

CREATE TABLE tenants (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  tier TEXT NOT NULL DEFAULT 'free',
  -- Limits of its own. NULL: what the tiers say.
  evaluations_a_month INTEGER,
  gpu_seconds_a_month INTEGER,
  requests_a_minute INTEGER,
  requests_a_day INTEGER,
  tokens_a_day INTEGER,
  live_jobs INTEGER,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT tenant_tier_is_known CHECK (tier IN ('free', 'pro', 'enterprise')),
  CONSTRAINT tenant_limit_not_negative CHECK (
    evaluations_a_month >= 0 AND gpu_seconds_a_month >= 0 AND requests_a_minute >= 0 AND requests_a_day >= 0
    AND tokens_a_day >= 0 AND live_jobs >= 0
  )
);

CREATE TABLE sites (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  name TEXT NOT NULL,
  tier TEXT NOT NULL DEFAULT 'free',
  evaluations_a_month INTEGER,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT site_tier_is_known CHECK (tier IN ('free', 'pro', 'enterprise')),
  CONSTRAINT site_limit_not_negative CHECK (evaluations_a_month >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE INDEX idx_sites_tenant ON sites(tenant_id);

CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  key_hash TEXT NOT NULL,
  key_prefix TEXT NOT NULL,
  user_id TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes JSONB NOT NULL DEFAULT '[]',
  quota_tier TEXT NOT NULL DEFAULT 'pro',
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ,
  last_used_at TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ,
  replaced_by TEXT,
  CONSTRAINT key_scopes_are_json CHECK (json_valid(scopes)),
  CONSTRAINT key_tier_is_known CHECK (quota_tier IN ('free', 'pro', 'enterprise')),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE UNIQUE INDEX one_key_per_hash ON api_keys(key_hash);
CREATE INDEX idx_api_keys_user ON api_keys(user_id);
CREATE INDEX idx_api_keys_prefix ON api_keys(key_prefix);
CREATE INDEX idx_api_keys_tenant ON api_keys(tenant_id);

-- migrate:down

DROP TABLE api_keys;
DROP TABLE sites;
DROP TABLE tenants;

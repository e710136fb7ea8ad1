-- migrate:up

-- What a tenant's paid calls have cost in a day, and may yet cost: what runs counts with the most that it can come to.
CREATE TABLE daily_spend (
  tenant_id TEXT NOT NULL,
  -- The UTC day, as 2025-12-17.
  day TEXT NOT NULL,
  -- Both in millionths of a dollar.
  used BIGINT NOT NULL DEFAULT 0,
  quota_limit BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, day),
  CONSTRAINT daily_spend_not_negative CHECK (used >= 0 AND quota_limit >= 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

-- migrate:down

DROP TABLE daily_spend;

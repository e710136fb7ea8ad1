-- migrate:up

-- How much of what is sold by the month a tenant has used, one row for each meter.
CREATE TABLE monthly_usage (
  tenant_id TEXT NOT NULL,
  -- The UTC month, as 2025-12.
  month TEXT NOT NULL,
  meter TEXT NOT NULL,
  used BIGINT NOT NULL DEFAULT 0,
  quota_limit BIGINT NOT NULL,
  tier TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (tenant_id, month, meter),
  CONSTRAINT monthly_usage_not_negative CHECK (used >= 0 AND quota_limit >= 0),
  CONSTRAINT monthly_usage_tier_is_known CHECK (tier IN ('free', 'pro', 'enterprise')),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

-- Videos that were announced, and have been uploaded once `uploaded_at` says so.
CREATE TABLE videos (
  id TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  -- Its key in the bucket, by which an export names it.
  storage_key TEXT NOT NULL,
  file_name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  -- What the bucket said of the content that was checked.
  etag TEXT,
  requested_by TEXT NOT NULL,
  link_expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  uploaded_at TIMESTAMPTZ,
  -- When it was given up, because it never came. The row goes once its file has.
  deleted_at TIMESTAMPTZ,
  CONSTRAINT video_is_not_empty CHECK (size_bytes > 0),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

CREATE UNIQUE INDEX one_video_per_key ON videos(storage_key);
CREATE INDEX idx_videos_tenant ON videos(tenant_id);
CREATE INDEX idx_videos_abandoned ON videos(link_expires_at) WHERE uploaded_at IS NULL AND deleted_at IS NULL;
CREATE INDEX idx_videos_to_erase ON videos(deleted_at) WHERE deleted_at IS NOT NULL;

-- migrate:down

DROP TABLE videos;
DROP TABLE monthly_usage;

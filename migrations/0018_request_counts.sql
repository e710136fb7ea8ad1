-- migrate:up

-- What a key's user has asked for: a row for each limit, which begins anew with each minute or day.
CREATE TABLE request_counts (
  tenant_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  measure TEXT NOT NULL,
  -- The UTC minute as 2025-12-17T10:00, or the day as 2025-12-17. Empty: it is counted as of now.
  period TEXT NOT NULL,
  used BIGINT NOT NULL,
  limit_then BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, user_id, measure),
  CONSTRAINT request_measure_is_known CHECK (
    measure IN ('requests_a_minute', 'requests_a_day', 'tokens_a_day', 'live_jobs')
  ),
  -- How many tokens a job takes is known afterwards, so one is accepted while any are left.
  CONSTRAINT requests_within_limit CHECK (
    used <= limit_then AND (measure <> 'tokens_a_day' OR used < limit_then)
  ),
  FOREIGN KEY (tenant_id) REFERENCES tenants(id)
);

-- migrate:down

DROP TABLE request_counts;

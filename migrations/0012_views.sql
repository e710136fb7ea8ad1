-- migrate:up

CREATE VIEW enrichment_job_summary AS
SELECT
  job.tenant_id,
  job.id,
  job.status,
  job.total_records,
  job.processed_records,
  job.failed_records,
  -- NULL while nobody knows how many records there are.
  CAST(ROUND(100.0 * job.processed_records / NULLIF(job.total_records, 0), 2) AS DOUBLE PRECISION)
    AS progress_percentage,
  job.actual_cost_microusd,
  job.created_at,
  job.completed_at,
  job.processing_time_seconds
FROM enrichment_jobs AS job;

CREATE VIEW daily_api_usage AS
SELECT
  tenant_id,
  DATE(datetime(created_at)) AS date,
  provider,
  COUNT(*) AS api_calls,
  CAST(SUM(tokens_used) AS BIGINT) AS total_tokens,
  CAST(SUM(cost_microusd) AS BIGINT) AS total_cost_microusd,
  CAST(AVG(response_time_ms) AS DOUBLE PRECISION) AS avg_response_time
FROM api_usage
GROUP BY tenant_id, DATE(datetime(created_at)), provider;

CREATE VIEW enrichment_success_rate AS
SELECT
  tenant_id,
  DATE(datetime(created_at)) AS date,
  COUNT(*) AS total_records,
  SUM(CASE WHEN status = 'enriched' THEN 1 ELSE 0 END) AS successful,
  SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,
  CAST(ROUND(100.0 * SUM(CASE WHEN status = 'enriched' THEN 1 ELSE 0 END) / COUNT(*), 2) AS DOUBLE PRECISION)
    AS success_rate
FROM enrichment_records
WHERE status IN ('enriched', 'failed')
GROUP BY tenant_id, DATE(datetime(created_at));

-- migrate:down

DROP VIEW enrichment_success_rate;
DROP VIEW daily_api_usage;
DROP VIEW enrichment_job_summary;

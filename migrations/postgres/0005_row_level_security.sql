-- migrate:up

-- Differs: SQLite has neither roles nor row-level security; there the stores' own conditions are the only wall.
-- millrace_api sees the rows of the tenant its batch names; millrace_engine, which works for all, sees all.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  tenants, sites, api_keys, leads, lead_documents, lead_ai_evaluations, evaluation_overrides,
  ai_evaluation_jobs, ai_evaluation_usage, quota_entries, job_events, idempotency_keys
TO millrace_engine;

-- What a request needs and no more: it cannot raise its tenant's limits, nor rewrite what was charged or happened.
GRANT SELECT ON tenants, sites, lead_ai_evaluations TO millrace_api;
GRANT SELECT, INSERT ON quota_entries, job_events TO millrace_api;
GRANT SELECT, INSERT, UPDATE ON leads, lead_documents, evaluation_overrides, ai_evaluation_usage TO millrace_api;
-- What is personal in a judgement goes with its lead; its score stays as it was.
GRANT UPDATE (summary, extracted_data, score_breakdown, warnings) ON lead_ai_evaluations TO millrace_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ai_evaluation_jobs, idempotency_keys TO millrace_api;
-- It makes keys and ends them. What a key may do it cannot change, and the hashes are for the authorizer alone.
GRANT SELECT (id, key_prefix, user_id, tenant_id, name, scopes, quota_tier, created_at, expires_at, last_used_at,
              revoked_at, replaced_by) ON api_keys TO millrace_api;
GRANT INSERT (id, key_hash, key_prefix, user_id, tenant_id, name, scopes, quota_tier, created_at, expires_at)
ON api_keys TO millrace_api;
GRANT UPDATE (expires_at, revoked_at, replaced_by) ON api_keys TO millrace_api;

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'sites', 'api_keys', 'leads', 'lead_documents', 'lead_ai_evaluations', 'evaluation_overrides',
    'ai_evaluation_jobs', 'ai_evaluation_usage', 'quota_entries', 'job_events', 'idempotency_keys'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO millrace_api'
      ' USING (tenant_id = current_setting(''app.tenant'', true))', tenant_table);
    EXECUTE format('CREATE POLICY all_tenants ON %I TO millrace_engine USING (true)', tenant_table);
  END LOOP;
END
$$;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON tenants TO millrace_api USING (id = current_setting('app.tenant', true));
CREATE POLICY all_tenants ON tenants TO millrace_engine USING (true);

-- migrate:down

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'tenants', 'sites', 'api_keys', 'leads', 'lead_documents', 'lead_ai_evaluations', 'evaluation_overrides',
    'ai_evaluation_jobs', 'ai_evaluation_usage', 'quota_entries', 'job_events', 'idempotency_keys'
  ] LOOP
    EXECUTE format('DROP POLICY own_tenant ON %I', tenant_table);
    EXECUTE format('DROP POLICY all_tenants ON %I', tenant_table);
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('REVOKE ALL ON %I FROM millrace_api, millrace_engine', tenant_table);
  END LOOP;
END
$$;

-- migrate:up

-- Differs: as in 0005, for the tables that came since. In a file of its own because it must follow them.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  projects, export_jobs, removed_exports, enrichment_jobs, enrichment_records, email_templates,
  template_performance, conversations, crm_integrations, settings, story_jobs, story_job_files, api_usage,
  usage_records, daily_usage
TO millrace_engine;

GRANT SELECT ON api_usage, usage_records, template_performance TO millrace_api;
GRANT SELECT, INSERT, UPDATE ON projects, removed_exports, enrichment_records, daily_usage TO millrace_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  export_jobs, enrichment_jobs, story_jobs, story_job_files, email_templates, conversations, crm_integrations,
  settings
TO millrace_api;

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'projects', 'export_jobs', 'removed_exports', 'enrichment_jobs', 'enrichment_records', 'email_templates',
    'template_performance', 'conversations', 'crm_integrations', 'story_jobs', 'story_job_files',
    'api_usage', 'usage_records', 'daily_usage'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO millrace_api'
      ' USING (tenant_id = current_setting(''app.tenant'', true))', tenant_table);
    EXECUTE format('CREATE POLICY all_tenants ON %I TO millrace_engine USING (true)', tenant_table);
  END LOOP;
END
$$;

-- What is set for all may be read by all. Of what holds for a tenant, the API writes the tenant's choices alone,
-- and not what it may spend: only the engine sets the rest.
ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_tenants ON settings TO millrace_engine USING (true);
CREATE POLICY defaults ON settings FOR SELECT TO millrace_api USING (tenant_id IS NULL);
CREATE POLICY own_tenant ON settings FOR SELECT TO millrace_api
  USING (tenant_id = current_setting('app.tenant', true));
CREATE POLICY own_choices ON settings TO millrace_api
  USING (tenant_id = current_setting('app.tenant', true)
         AND key IN ('ai_enabled', 'ai_auto_run_on_documents', 'ai_default_model'));

-- Shared by all tenants, so none may look: what is in it tells what the others have asked for.
GRANT SELECT, INSERT, UPDATE, DELETE ON enrichment_cache TO millrace_engine;
ALTER TABLE enrichment_cache ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_tenants ON enrichment_cache TO millrace_engine USING (true);

-- A view would else see with its owner's eyes, whom no policy binds.
ALTER VIEW enrichment_job_summary SET (security_invoker = true);
ALTER VIEW daily_api_usage SET (security_invoker = true);
ALTER VIEW enrichment_success_rate SET (security_invoker = true);
GRANT SELECT ON enrichment_job_summary, daily_api_usage, enrichment_success_rate
TO millrace_api, millrace_engine;

-- migrate:down

REVOKE ALL ON enrichment_job_summary, daily_api_usage, enrichment_success_rate
FROM millrace_api, millrace_engine;
ALTER VIEW enrichment_success_rate RESET (security_invoker);
ALTER VIEW daily_api_usage RESET (security_invoker);
ALTER VIEW enrichment_job_summary RESET (security_invoker);

DROP POLICY all_tenants ON enrichment_cache;
ALTER TABLE enrichment_cache DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON enrichment_cache FROM millrace_engine;

DROP POLICY own_choices ON settings;
DROP POLICY defaults ON settings;

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'projects', 'export_jobs', 'removed_exports', 'enrichment_jobs', 'enrichment_records', 'email_templates',
    'template_performance', 'conversations', 'crm_integrations', 'settings', 'story_jobs', 'story_job_files',
    'api_usage', 'usage_records', 'daily_usage'
  ] LOOP
    EXECUTE format('DROP POLICY own_tenant ON %I', tenant_table);
    EXECUTE format('DROP POLICY all_tenants ON %I', tenant_table);
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('REVOKE ALL ON %I FROM millrace_api, millrace_engine', tenant_table);
  END LOOP;
END
$$;

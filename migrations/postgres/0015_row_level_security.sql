-- migrate:up

-- Differs: as in 0005, for the tables that came since.
GRANT SELECT, INSERT, UPDATE, DELETE ON monthly_usage, videos TO millrace_engine;
GRANT SELECT, INSERT, UPDATE ON monthly_usage, videos TO millrace_api;

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['monthly_usage', 'videos'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO millrace_api'
      ' USING (tenant_id = current_setting(''app.tenant'', true))', tenant_table);
    EXECUTE format('CREATE POLICY all_tenants ON %I TO millrace_engine USING (true)', tenant_table);
  END LOOP;
END
$$;

-- migrate:down

DO $$
DECLARE
  tenant_table TEXT;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['monthly_usage', 'videos'] LOOP
    EXECUTE format('DROP POLICY own_tenant ON %I', tenant_table);
    EXECUTE format('DROP POLICY all_tenants ON %I', tenant_table);
    EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('REVOKE ALL ON %I FROM millrace_api, millrace_engine', tenant_table);
  END LOOP;
END
$$;

-- migrate:up

-- Differs: as in 0005, for the table that came since. Who asks for a job only looks: the engine spends.
GRANT SELECT, INSERT, UPDATE, DELETE ON daily_spend TO millrace_engine;
GRANT SELECT ON daily_spend TO millrace_api;

ALTER TABLE daily_spend ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON daily_spend TO millrace_api
  USING (tenant_id = current_setting('app.tenant', true));
CREATE POLICY all_tenants ON daily_spend TO millrace_engine USING (true);

-- migrate:down

DROP POLICY all_tenants ON daily_spend;
DROP POLICY own_tenant ON daily_spend;
ALTER TABLE daily_spend DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON daily_spend FROM millrace_api, millrace_engine;

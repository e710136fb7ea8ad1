-- migrate:up

-- Differs: as in 0005 and 0013, for the table that came since.
GRANT SELECT, INSERT, UPDATE, DELETE ON request_counts TO millrace_engine;
GRANT SELECT, INSERT, UPDATE ON request_counts TO millrace_api;

ALTER TABLE request_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON request_counts TO millrace_api
  USING (tenant_id = current_setting('app.tenant', true));
CREATE POLICY all_tenants ON request_counts TO millrace_engine USING (true);

-- migrate:down

DROP POLICY all_tenants ON request_counts;
DROP POLICY own_tenant ON request_counts;
ALTER TABLE request_counts DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON request_counts FROM millrace_api, millrace_engine;

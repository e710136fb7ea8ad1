-- migrate:up

-- Differs: as in 0005 and 0013. Either role writes entries and reads them; only the engine seals, and nobody
-- can do more: not even the owner, whom no grant and no policy binds but whom the triggers stop.
GRANT SELECT ON audit_log TO millrace_api, millrace_engine;
GRANT INSERT (id, tenant_id, created_at, action, subject, person, key_id, source, before, after)
ON audit_log TO millrace_api, millrace_engine;
GRANT UPDATE (place, hash) ON audit_log TO millrace_engine;
GRANT SELECT, INSERT ON audit_seals TO millrace_engine;

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON audit_log TO millrace_api USING (tenant_id = current_setting('app.tenant', true));
CREATE POLICY all_tenants ON audit_log TO millrace_engine USING (true);
ALTER TABLE audit_seals ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_tenants ON audit_seals TO millrace_engine USING (true);

-- Differs: a trigger of PostgreSQL calls a function.
CREATE FUNCTION refuse_audit_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_log_stays',
    MESSAGE = 'what is in the audit log stays as it is';
END
$$;

CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_log FOR EACH ROW
  WHEN (OLD.place IS NOT NULL OR NEW.place IS NULL
        OR to_jsonb(NEW) - 'place' - 'hash' <> to_jsonb(OLD) - 'place' - 'hash')
  EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_entry_is_not_deleted BEFORE DELETE ON audit_log FOR EACH ROW
  EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
  EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_seal_is_not_changed BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW
  EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_seals_are_not_emptied BEFORE TRUNCATE ON audit_seals
  EXECUTE FUNCTION refuse_audit_change();

-- migrate:down

DROP TRIGGER audit_seals_are_not_emptied ON audit_seals;
DROP TRIGGER audit_seal_is_not_changed ON audit_seals;
DROP TRIGGER audit_log_is_not_emptied ON audit_log;
DROP TRIGGER audit_entry_is_not_deleted ON audit_log;
DROP TRIGGER audit_entry_is_not_changed ON audit_log;
DROP FUNCTION refuse_audit_change();

DROP POLICY all_tenants ON audit_seals;
ALTER TABLE audit_seals DISABLE ROW LEVEL SECURITY;
DROP POLICY all_tenants ON audit_log;
DROP POLICY own_tenant ON audit_log;
ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON audit_seals FROM millrace_engine;
REVOKE ALL ON audit_log FROM millrace_api, millrace_engine;

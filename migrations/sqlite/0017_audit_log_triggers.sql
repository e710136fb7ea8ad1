-- migrate:up

-- Differs: SQLite has no grants, and a trigger's body stands in it. What it says reads like a CHECK's refusal,
-- so that it has a name here too.
CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_log
WHEN OLD.place IS NOT NULL OR NEW.place IS NULL OR NEW.rowid <> OLD.rowid
  OR EXISTS (SELECT 1 FROM audit_log WHERE place = NEW.place)
  OR (NEW.id, NEW.tenant_id, NEW.created_at, NEW.action, NEW.subject, NEW.person, NEW.key_id, NEW.source,
      NEW.before, NEW.after)
  IS NOT (OLD.id, OLD.tenant_id, OLD.created_at, OLD.action, OLD.subject, OLD.person, OLD.key_id, OLD.source,
          OLD.before, OLD.after)
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

CREATE TRIGGER audit_entry_is_not_deleted BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

CREATE TRIGGER audit_seal_is_not_changed BEFORE UPDATE ON audit_seals
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

CREATE TRIGGER audit_seal_is_not_deleted BEFORE DELETE ON audit_seals
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

-- Differs: what REPLACE writes over an older row fires no trigger of deletion.
CREATE TRIGGER audit_entry_is_not_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id OR place = NEW.place OR rowid = NEW.rowid)
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

CREATE TRIGGER audit_seal_is_not_replaced BEFORE INSERT ON audit_seals
WHEN EXISTS (SELECT 1 FROM audit_seals WHERE place = NEW.place OR rowid = NEW.rowid)
BEGIN
  SELECT RAISE(ABORT, 'CHECK constraint failed: audit_log_stays');
END;

-- migrate:down

DROP TRIGGER audit_seal_is_not_replaced;
DROP TRIGGER audit_entry_is_not_replaced;
DROP TRIGGER audit_seal_is_not_deleted;
DROP TRIGGER audit_seal_is_not_changed;
DROP TRIGGER audit_entry_is_not_deleted;
DROP TRIGGER audit_entry_is_not_changed;

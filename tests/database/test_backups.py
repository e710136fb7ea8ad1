"""Backups of a live SQLite database, and putting them back."""

import gzip
import shutil
import sqlite3
import threading
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from millrace import migrations
from millrace.bindings.sqlite import SqliteDatabase
from millrace.errors import BackupFailed
from millrace.migrations import backups
from tests.databases import MIGRATIONS
from tests.factories import NOW, add_site, add_tenant, count_rows


@pytest.fixture
def url(tmp_path) -> str:
    url = f"sqlite://{tmp_path / 'millrace.db'}"
    migrations.up(url, folder=MIGRATIONS, now=NOW)
    return url


@contextmanager
def opened(url):
    with closing(SqliteDatabase(migrations.path_of(url))) as db:
        yield db


def save(url, *, minutes=0, keep=7, **more):
    return migrations.backup(url, now=NOW + timedelta(minutes=minutes), keep=keep, **more)


def restored(backup, folder):
    url = f"sqlite://{folder / 'restored.db'}"
    migrations.restore(backup, url)
    return url


def test_a_backup_comes_back_as_it_was(url, tmp_path):
    with opened(url) as db:
        add_tenant(db, "tenant_before")
        backup = save(url)
        add_tenant(db, "tenant_after")

    with opened(restored(backup, tmp_path)) as db:
        assert db.prepare("SELECT id FROM tenants").raw() == [("tenant_before",)]
    assert migrations.verify(restored(backup, tmp_path / "other"), folder=MIGRATIONS) == []


def add_tenant_and_site(db, name):
    """Both or none."""
    tenant = db.prepare("INSERT INTO tenants (id, name, created_at, updated_at) VALUES (?1, ?1, ?2, ?2)")
    site = db.prepare("""
        INSERT INTO sites (id, tenant_id, name, created_at, updated_at) VALUES (?1, ?1, ?1, ?2, ?2)
    """)
    db.batch([tenant.bind(name, NOW), site.bind(name, NOW)])


def test_a_backup_made_while_a_writer_runs_holds_whole_transactions_only(url, tmp_path, monkeypatch):
    monkeypatch.setattr(backups, "PAGES_A_STEP", 1)
    stop, written = threading.Event(), threading.Event()

    def write():
        with opened(url) as db:
            number = 0
            while not stop.is_set():
                number += 1
                add_tenant_and_site(db, f"number_{number}")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        written.wait()
        made = [save(url, minutes=minutes) for minutes in range(5)]
    finally:
        stop.set()
        writer.join()

    counts = []
    for number, backup in enumerate(made):
        with opened(restored(backup, tmp_path / str(number))) as db:
            assert count_rows(db, "tenants") == count_rows(db, "sites")
            counts.append(count_rows(db, "tenants"))
    assert counts == sorted(counts)
    assert counts[0] > 0
    assert counts[-1] > counts[0]


def test_copying_the_file_of_a_live_database_is_no_backup(url, tmp_path):
    with opened(url) as db:
        add_tenant(db)
        shutil.copyfile(migrations.path_of(url), tmp_path / "copied.db")
        backup = save(url)

        with opened(f"sqlite://{tmp_path / 'copied.db'}") as copied:
            assert count_rows(copied, "tenants") == 0
        with opened(restored(backup, tmp_path)) as saved:
            assert count_rows(saved, "tenants") == 1


def test_a_database_that_is_there_is_not_overwritten(url):
    backup = save(url)
    with opened(url) as db:
        add_tenant(db)

    with pytest.raises(BackupFailed, match="is there already; --force"):
        migrations.restore(backup, url)

    with opened(url) as db:
        assert count_rows(db, "tenants") == 1


def test_by_force_it_is_put_aside(url, tmp_path):
    backup = save(url)
    with opened(url) as db:
        add_tenant(db)

    migrations.restore(backup, url, force=True)

    with opened(url) as db, opened(f"sqlite://{tmp_path / 'millrace.db.replaced'}") as replaced:
        assert count_rows(db, "tenants") == 0
        assert count_rows(replaced, "tenants") == 1


def test_what_an_earlier_restore_put_aside_stays(url, tmp_path):
    backup = save(url)
    with opened(url) as db:
        add_tenant(db)

    for _ in range(3):
        migrations.restore(backup, url, force=True)

    with opened(f"sqlite://{tmp_path / 'millrace.db.replaced'}") as first:
        assert count_rows(first, "tenants") == 1
    assert (tmp_path / "millrace.db.replaced-2").exists()
    assert (tmp_path / "millrace.db.replaced-3").exists()


def test_a_row_that_points_at_nothing_keeps_nobody_from_a_backup_but_is_told(url, tmp_path):
    with sqlite3.connect(migrations.path_of(url)) as careless:
        careless.execute("INSERT INTO sites VALUES ('s', 'nobody', 's', 'free', NULL, '2025', '2025')")
    careless.close()
    saving, restoring = [], []

    backup = save(url, report=saving.append)
    restored_url = f"sqlite://{tmp_path / 'restored.db'}"
    migrations.restore(backup, restored_url, report=restoring.append)

    with opened(restored_url) as db:
        assert count_rows(db, "sites") == 1
    told = "CAREFUL: 1 row of sites points at nothing in tenants"
    assert [line for line in saving + restoring if "CAREFUL" in line] == [told, told]


def test_a_database_in_use_is_not_even_replaced_by_force(url):
    backup = save(url)
    with opened(url) as db:
        add_tenant(db)

        with pytest.raises(BackupFailed, match="is in use: stop what uses it"):
            migrations.restore(backup, url, force=True)

        add_site(db)
        assert count_rows(db, "sites") == 1


def test_a_damaged_database_is_replaced_with_its_log(url, tmp_path):
    backup = save(url)
    path = migrations.path_of(url)
    path.write_bytes(b"no database" * 1000)
    (tmp_path / "millrace.db-wal").write_bytes(b"no log")

    migrations.restore(backup, url, force=True)

    assert migrations.verify(url, folder=MIGRATIONS) == []
    assert not (tmp_path / "millrace.db-wal").exists()


def damage(path):
    """Overwrite the middle of it."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 5000] = b"\xff" * 5000
    path.write_bytes(content)


def test_a_damaged_database_is_not_backed_up_over_the_good_ones(url):
    good = save(url, keep=1)
    damage(migrations.path_of(url))

    with pytest.raises(BackupFailed, match=r"damaged|malformed"):
        save(url, minutes=1, keep=1)

    assert list(good.parent.iterdir()) == [good]


@pytest.mark.parametrize("what", ["cut", "garbled", "other", "missing"])
def test_a_backup_that_is_not_whole_is_not_put_back(url, tmp_path, what):
    backup = save(url)
    content = backup.read_bytes()
    if what == "cut":
        backup.write_bytes(content[: len(content) // 2])
    elif what == "garbled":
        damage(backup)
    elif what == "other":
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
            other.execute("CREATE TABLE toys (id TEXT)")
        backup.write_bytes(gzip.compress((tmp_path / "other.db").read_bytes()))
    else:
        backup.unlink()
    with opened(url) as db:
        add_tenant(db)

    with pytest.raises(BackupFailed):
        migrations.restore(backup, url, force=True)

    with opened(url) as db:
        assert count_rows(db, "tenants") == 1
    assert not list(tmp_path.glob("*.partial*"))


def test_what_is_done_is_told(url, tmp_path):
    said = []

    backup = save(url, report=said.append)
    migrations.restore(backup, f"sqlite://{tmp_path / 'other.db'}", report=said.append)

    assert said[0].startswith("Copying:")
    assert "Copying: 100 %" in said
    assert said[-2:] == [f"Unpacking {backup}", "Checking it"]


def test_a_database_that_is_not_there_cannot_be_saved(tmp_path):
    with pytest.raises(BackupFailed, match="there is no database"):
        save(f"sqlite://{tmp_path / 'nowhere.db'}")

    assert list(tmp_path.iterdir()) == []


def test_one_slash_too_many_does_no_harm(url, tmp_path):
    backup = save(url.replace("///", "////"))

    migrations.restore(backup, f"sqlite:///{tmp_path / 'other.db'}")

    assert migrations.verify(f"sqlite://{tmp_path / 'other.db'}", folder=MIGRATIONS) == []


def test_for_aurora_there_is_another_way():
    with pytest.raises(BackupFailed, match=r"docs/backup\.md"):
        save("postgresql://postgres@127.0.0.1:1/none")

"""The daily backup of the local cloud."""

import threading
from datetime import timedelta

import pytest

from local.backups import DailyBackups
from local.run import read_arguments
from local.settings import Settings
from millrace import migrations
from tests.databases import MIGRATIONS
from tests.factories import NOW


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = Settings(data=tmp_path, backup_daily=True)
    migrations.up(settings.database, folder=MIGRATIONS, now=NOW)
    return settings


def saved(settings):
    return sorted(path.name for path in (settings.data / "backups").glob("*.gz"))


def test_it_saves_once_a_day_however_often_it_is_started(settings, clock):
    for _ in range(3):
        assert DailyBackups(settings, now=clock.now).save_if_due() == NOW + timedelta(days=1)

    clock.advance(days=1)
    DailyBackups(settings, now=clock.now).save_if_due()

    assert [name.split("-")[-1] for name in saved(settings)] == [
        "20251217T100000Z.db.gz",
        "20251218T100000Z.db.gz",
    ]


def test_a_failure_is_told_and_tried_again_in_an_hour(settings, clock, caplog):
    (settings.data / "millrace.db").write_bytes(b"no database" * 1000)

    again = DailyBackups(settings, now=clock.now).save_if_due()

    assert again == NOW + timedelta(hours=1)
    assert "No backup was made" in caplog.text


def test_it_saves_soon_after_the_start_if_it_was_asked_to(settings, clock, monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(migrations, "backup", lambda *args, **given: done.set())
    backups = DailyBackups(settings, now=clock.now)

    backups.start()

    assert done.wait(10)
    backups.stop()


def test_it_is_off_unless_asked_for(tmp_path, capsys):
    assert not read_arguments([])[0].backup_daily
    assert read_arguments(["--backup-daily"])[0].backup_daily
    with pytest.raises(SystemExit):
        read_arguments(["--backup-daily", "--database", "postgresql://postgres@127.0.0.1/x"])

"""What backups are called, and which of them are kept."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from millrace import migrations
from millrace.errors import BackupFailed
from tests.databases import MIGRATIONS
from tests.factories import NOW


@pytest.fixture
def url(tmp_path) -> str:
    url = f"sqlite://{tmp_path / 'millrace.db'}"
    migrations.up(url, folder=MIGRATIONS, now=NOW)
    return url


def save(url, *, minutes=0, keep=7, **more):
    return migrations.backup(url, now=NOW + timedelta(minutes=minutes), keep=keep, **more)


def test_a_backup_is_named_by_its_time_and_lies_in_a_folder_for_its_owner_alone(url, tmp_path):
    backup = save(url)

    assert backup.parent == tmp_path / "backups"
    assert re.fullmatch(r"millrace-[0-9a-f]{8}-20251217T100000Z\.db\.gz", backup.name)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.parent.stat().st_mode & 0o777 == 0o700
    assert list(backup.parent.iterdir()) == [backup]


def test_only_the_last_backups_are_kept_and_nothing_else_is_touched(url, tmp_path):
    folder = tmp_path / "safe"
    folder.mkdir()
    killed = save(url, keep=2, folder=folder)
    killed.rename(killed.with_name(f"{killed.name}.partial"))
    (folder / "letter.txt").write_text("not ours")

    made = [save(url, minutes=minutes, keep=2, folder=folder) for minutes in range(1, 5)]

    assert sorted(folder.iterdir()) == [folder / "letter.txt", *made[-2:]]


def test_databases_of_one_name_can_share_a_folder(url, tmp_path):
    twin_url = f"sqlite://{tmp_path / 'other/millrace.db'}"
    migrations.restore(save(url), twin_url)
    folder = tmp_path / "safe"

    made = [save(either, keep=1, folder=folder) for either in (url, twin_url)]

    assert sorted(folder.iterdir()) == sorted(made)
    assert migrations.last_backup_at(twin_url) is None


def test_no_backup_takes_the_place_of_another(url, tmp_path):
    folder = tmp_path / "safe"
    first = save(url, folder=folder)
    content = first.read_bytes()

    with pytest.raises(BackupFailed, match="is there already"):
        save(url, folder=folder)

    assert [path.read_bytes() for path in folder.iterdir()] == [content]


def test_of_two_backups_made_at_one_moment_one_is_refused_and_the_other_is_whole(url, tmp_path):
    refused = []

    def save_too(line):
        if line.startswith("Compressing"):
            with pytest.raises(BackupFailed, match="another backup is being made"):
                save(url)
            refused.append(line)

    backup = save(url, report=save_too)

    assert len(refused) == 1
    assert list(backup.parent.iterdir()) == [backup]
    migrations.restore(backup, f"sqlite://{tmp_path / 'restored.db'}")


@pytest.mark.parametrize("name", ["a[1].db", "a*.db", "?.db"])
def test_a_name_may_hold_what_means_something_in_a_pattern(url, tmp_path, name):
    odd = f"sqlite://{tmp_path}/{quote(name)}"
    migrations.path_of(url).rename(migrations.path_of(odd))

    made = [save(odd, minutes=minutes, keep=1) for minutes in range(2)]

    assert list((tmp_path / "backups").iterdir()) == [made[-1]]
    assert migrations.last_backup_at(odd) == NOW + timedelta(minutes=1)

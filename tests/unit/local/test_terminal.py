"""What the person who starts the local cloud is told."""

import pytest

from local.settings import Settings
from local.terminal import welcome


@pytest.mark.parametrize(
    ("reload", "how"),
    [(True, "(Ctrl-C ends it; changed code is taken up at once)"), (False, "(Ctrl-C ends it)")],
)
def test_changed_code_is_said_to_be_taken_up_only_where_it_is(capsys, tmp_path, reload, how):
    settings = Settings(data=tmp_path)

    welcome(settings, reload=reload)

    assert f"Millrace serves on {settings.url}   {how}\n" in capsys.readouterr().out

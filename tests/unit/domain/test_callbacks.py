"""The link of a callback: good for one attempt until its deadline, and for nothing else."""

import random
from datetime import timedelta

import pytest

from millrace.domain.callbacks import PURPOSE, TOKEN, Link, make_token, read_token, sign
from millrace.errors import CallbackRefused
from tests.export_bed import KEYS
from tests.factories import NOW

LINK = Link("export_018f0000000070008000000000000000", 3)
UNTIL = NOW + timedelta(hours=1)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def make(link=LINK, *, until=UNTIL, keys=KEYS):
    return make_token(link, until=until, keys=keys)


def read(token, *, keys=KEYS, now=NOW):
    return read_token(token, keys=keys, now=now)


def test_a_token_says_which_attempt_it_is_for():
    assert read(make()) == LINK


def test_a_token_fits_into_a_path():
    assert len(make(Link("e" * 60, 999_999_999))) <= 128
    assert read(make(Link("e" * 60, 999_999_999))).attempt == 999_999_999


def test_two_keys_are_good_at_once_and_the_first_signs():
    new, old = KEYS

    assert read(make(keys=[old]), keys=[new, old]) == LINK
    assert make(keys=[new, old]) == make(keys=[new])
    with pytest.raises(CallbackRefused):
        read(make(keys=[old]), keys=[new])


def test_a_token_ends_at_its_second():
    token = make()

    assert read(token, now=UNTIL - timedelta(milliseconds=1)) == LINK
    with pytest.raises(CallbackRefused):
        read(token, now=UNTIL)


@pytest.mark.parametrize(
    "change",
    [
        {"job_id": "export_018f0000000070008000000000000001"},
        {"attempt": "4"},
        {"until": str(int(UNTIL.timestamp()) + 1)},
    ],
)
def test_what_a_token_says_cannot_be_changed(change):
    parts = TOKEN.fullmatch(make()).groupdict() | change
    changed = f"{parts['job_id']}.{parts['attempt']}.{parts['until']}.{parts['signature']}"

    with pytest.raises(CallbackRefused):
        read(changed)


def test_no_single_letter_can_be_changed_left_out_or_added():
    token = make()
    luck = random.Random(7)
    for place in range(len(token)):
        other = luck.choice([letter for letter in LETTERS if letter != token[place]])
        for changed in (
            token[:place] + other + token[place + 1 :],
            token[:place] + token[place + 1 :],
            token[:place] + other + token[place:],
        ):
            with pytest.raises(CallbackRefused):
                read(changed)


@pytest.mark.parametrize("token", ["", ".", "a.1.2.b", "ü" * 90, "export.0.9999999999." + "a" * 43, "\n"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(CallbackRefused):
        read(token)


def test_what_was_signed_for_another_purpose_is_no_link(monkeypatch):
    signed = make().rpartition(".")[0]
    monkeypatch.setattr("millrace.domain.callbacks.PURPOSE", f"not {PURPOSE}")
    other = f"{signed}.{sign(signed, key=KEYS[0])}"
    monkeypatch.undo()

    with pytest.raises(CallbackRefused):
        read(other)

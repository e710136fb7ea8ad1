"""What an API key looks like, and what is kept of it."""

import hashlib
import re

import pytest

from millrace.domain.keys import DIGITS, hash_token, holds_key, make_key, mode_of, read_key, to_base62

KEY_ID = "key_" + "0123456789abcdef" * 2
ALL_BITS = 2**256 - 1


@pytest.mark.parametrize("secret", [0, 1, ALL_BITS])
@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_key_is_read_back_as_it_was_made(secret, mode):
    key = make_key(KEY_ID, secret=secret, mode=mode)

    assert re.fullmatch(rf"mrk_{mode}_[0-9a-f]{{32}}_[0-9A-Za-z]{{43}}_[0-9A-Za-z]{{6}}", key.token)
    assert read_key(key.token) == key
    assert key.id == KEY_ID


def test_every_secret_has_a_text_of_its_own():
    assert len({make_key(KEY_ID, secret=2**bit, mode="live").token for bit in range(256)}) == 256


def test_one_wrong_character_anywhere_is_noticed():
    token = make_key(KEY_ID, secret=ALL_BITS, mode="live").token

    for place, right in enumerate(token):
        wrong = "x" if right != "x" else "y"
        assert read_key(token[:place] + wrong + token[place + 1 :]) is None


def test_a_key_is_told_from_an_id_also_in_part_and_in_a_sentence():
    key = make_key(KEY_ID, secret=ALL_BITS, mode="live")

    assert all(holds_key(text) for text in (key.token, key.token[:50], key.shown, f"was {key.token}."))
    assert not any(holds_key(text) for text in ("", "mrk_", "mrk_live", KEY_ID, "ada", "mark_live_1"))


@pytest.mark.parametrize("token", ["", "mrk_", "mrk_live_", "test-token", "mrk_live_1_2_3", "\n"])
def test_what_is_no_key_of_ours_is_told_by_its_form(token):
    assert read_key(token) is None


def test_a_key_with_something_after_it_is_none():
    assert read_key(make_key(KEY_ID, secret=1).token + "\n") is None


def test_what_is_shown_of_a_key_holds_nothing_of_its_secret():
    one, other = make_key(KEY_ID, secret=1), make_key(KEY_ID, secret=ALL_BITS)

    assert one.shown == other.shown == "mrk_live_0123456789ab"


def test_a_key_that_is_printed_shows_its_id_alone():
    key = make_key(KEY_ID, secret=ALL_BITS)

    assert repr(key) == f"Key(id='{KEY_ID}')"


@pytest.mark.parametrize("mode", ["live", "test"])
def test_what_is_shown_of_a_key_tells_its_mode(mode):
    assert mode_of(make_key(KEY_ID, secret=1, mode=mode).shown) == mode


def test_a_key_of_another_form_is_as_good_as_live():
    assert mode_of("test") == "live"


def test_a_hash_is_another_under_each_pepper_and_plain_sha256_without():
    hashes = {hash_token("token", pepper=pepper) for pepper in (None, b"salt", b"cayenne")}

    assert len(hashes) == 3
    assert hash_token("token", pepper=None) == hashlib.sha256(b"token").hexdigest()


def test_base_62_counts_as_it_should():
    assert [to_base62(number, digits=2) for number in (0, 9, 10, 61, 62, 62 * 62 - 1)] == [
        "00", "09", "0A", "0z", "10", "zz",
    ]  # fmt: skip
    assert list(DIGITS) == sorted(set(DIGITS))

"""Answering CloudFormation, whatever the network does."""

import json
from collections.abc import Iterator

import pytest

from millrace.bindings.stack import ANSWER_SECONDS, TRIES, Stack
from millrace.entry.stack import ANSWERING_SECONDS
from millrace.errors import StackUnavailable
from tests.bindings.loopback import QuietHandler, refusing, serving


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def heard() -> list[tuple[str, str, dict[str, str], bytes]]:
    return []


@pytest.fixture
def address(heard) -> Iterator[str]:
    """A server that has a bad moment, and takes what comes after it."""

    class Moody(QuietHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard.append((self.command, self.path, dict(self.headers), body))
            self.answer(503 if len(heard) == 1 else 200)

    with serving(Moody) as url:
        yield url


def test_an_answer_is_put_as_json_without_a_type_because_the_address_is_signed_without_one(
    address, heard, pauses
):
    Stack(pause=pauses.append).answer(f"{address}/reply?Signature=abc", {"Status": "SUCCESS"})

    method, path, headers, body = heard[-1]
    assert (method, path, json.loads(body)) == ("PUT", "/reply?Signature=abc", {"Status": "SUCCESS"})
    assert headers.get("Content-Type", "") == ""


def test_a_bad_moment_is_waited_out(address, heard, pauses):
    Stack(pause=pauses.append).answer(address, {})

    assert (len(heard), len(pauses)) == (2, 1)


def test_after_some_tries_it_is_an_error_that_keeps_the_signed_address_to_itself(pauses):
    with pytest.raises(StackUnavailable) as failed:
        Stack(pause=pauses.append).answer(f"{refusing()}/reply?Signature=abc", {})

    assert len(pauses) == TRIES - 1
    assert "abc" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_a_function_gives_up_early_enough_for_all_the_tries_of_its_answer(pauses):
    with pytest.raises(StackUnavailable):
        Stack(pause=pauses.append).answer(f"{refusing()}/reply", {})

    assert TRIES * ANSWER_SECONDS + sum(pauses) < ANSWERING_SECONDS


def test_only_the_web_is_answered(pauses):
    with pytest.raises(StackUnavailable):
        Stack(pause=pauses.append).answer("file:///etc/passwd", {})

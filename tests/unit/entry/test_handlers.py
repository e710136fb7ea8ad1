"""How a handler is defined, and what it is given of a request."""

import threading

import pytest

from millrace import entry
from tests.events import Context, env_without_a_world, http_event, said
from tests.unit.entry.things import SITE_AND_PERSON, ask, handler


def fingerprint(body="{}", *, path="/things/a", site="site_1"):
    return said(ask(http_event("PUT", path, body=body, headers={"x-site-id": site})))["data"]["fingerprint"]


def test_two_requests_for_the_same_have_the_same_fingerprint():
    assert fingerprint('{"fast": true, "name": "a"}') == fingerprint(' {"name":"a","fast":true}')


@pytest.mark.parametrize("other", [{"body": '{"fast": true}'}, {"path": "/things/b"}, {"site": "site_2"}])
def test_a_request_for_something_else_has_another_fingerprint(other: dict[str, str]):
    assert fingerprint(**other) != fingerprint()


def test_a_handler_knows_how_long_it_may_take():
    answer = handler(http_event("PUT"), Context(milliseconds_left=1_500), env=env_without_a_world())

    assert said(answer)["data"]["seconds"] == 1.5


def test_a_route_must_name_its_scope_or_say_that_it_is_public():
    routes = entry.Routes()

    with pytest.raises(TypeError, match="needs either scope= or public=True"):
        routes.get("/things")(lambda request, env: None)
    with pytest.raises(TypeError, match="needs either scope= or public=True"):
        routes.get("/things", scope="things:read", public=True)(lambda request, env: None)


def test_a_handler_must_take_what_its_path_holds():
    routes = entry.Routes()

    with pytest.raises(TypeError, match="must take request, env and each part of"):
        routes.get("/things/<thing_id>", scope="things:read")(lambda request, env: None)


def test_requests_in_many_threads_are_not_mixed_up():
    answers: dict[str, str] = {}
    together = threading.Barrier(8)

    def ask_often(name: str) -> None:
        together.wait()
        seen = {
            said(ask(http_event(path=f"/things/{name}_{n}", headers=SITE_AND_PERSON)))["data"]["id"]
            for n in range(30)
        }
        answers[name] = "right" if seen == {f"{name}_{n}" for n in range(30)} else f"wrong: {seen}"

    threads = [threading.Thread(target=ask_often, args=(f"thread_{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {f"thread_{n}": "right" for n in range(8)}

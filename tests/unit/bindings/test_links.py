from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from millrace.bindings.links import FolderLinks, Grant
from millrace.errors import LinkRefused

NOW = datetime(2025, 12, 17, 10, 0, tzinfo=UTC)
LINKS = FolderLinks("http://127.0.0.1:8787/__bucket", "a secret of the test")


def make_upload(**changed) -> str:
    facts = {"key": "a/b.pdf", "content_type": "application/pdf", "size": 4, **changed}
    return LINKS.make("PUT", expires_at=NOW + timedelta(minutes=5), **facts)


def make_download(**changed) -> str:
    return LINKS.make("GET", key="a/b.pdf", expires_at=NOW + timedelta(minutes=5), **changed)


def check(url: str, *, links: FolderLinks = LINKS, **changed) -> Grant:
    request = {
        "method": "PUT",
        "key": "a/b.pdf",
        "query": urlsplit(url).query,
        "content_type": "application/pdf",
        "content_length": 4,
        "now": NOW,
        **changed,
    }
    return links.check(request.pop("method"), **request)


def refusal_of(url: str, **changed) -> str:
    with pytest.raises(LinkRefused) as refused:
        check(url, **changed)
    assert str(refused.value).startswith(refused.value.rule)
    return refused.value.rule


def test_a_link_grants_what_it_was_made_for():
    upload = check(make_upload())
    download = check(
        make_download(filename="lease ü.pdf"), method="GET", content_type=None, content_length=None
    )

    assert upload == Grant("application/pdf", 4, None)
    assert download == Grant(None, None, "lease ü.pdf")


def test_the_address_holds_the_key_as_a_path():
    url = urlsplit(make_upload(key="a b/ü?.pdf"))

    assert url.path == "/__bucket/a%20b/%C3%BC%3F.pdf"
    assert dict(parse_qsl(url.query)).keys() == {"content_type", "size", "expires", "signature"}


def test_another_key_method_or_secret_makes_another_signature():
    other = FolderLinks(LINKS.url, "another secret of it")

    assert refusal_of(make_upload(), key="a/c.pdf") == "signature"
    assert refusal_of(make_download(), method="PUT") == "signature"
    assert refusal_of(make_upload(), method="GET") == "query"
    assert refusal_of(make_upload(), links=other) == "signature"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size=4", "size=5000"),
        ("application%2Fpdf", "text%2Fhtml"),
        ("expires=1765965900", "expires=9999999999"),
        ("signature=", "signature=0"),
        ("signature=", "signature=%C3%BC"),
    ],
)
def test_what_a_link_says_cannot_be_changed(old, new):
    url = make_upload()
    assert old in url

    assert refusal_of(url.replace(old, new)) == "signature"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda query: "",
        lambda query: query + "&size=4",
        lambda query: query + "&extra=1",
        lambda query: query + "&extra=",
        lambda query: query + "&extra",
        lambda query: query + "&filename=a",
        lambda query: query + "&" + "&".join(f"p{place}=1" for place in range(20)),
        lambda query: query + "&%ff",
        lambda query: query + "&size=%ff",
        lambda query: query.replace("signature", "Signature"),
        lambda query: query.rpartition("&")[0],
        lambda query: query.replace("expires=1765965900&", ""),
    ],
)
def test_a_query_with_more_or_less_than_was_signed_is_refused(spoil):
    url = make_upload()

    assert refusal_of(url, query=spoil(urlsplit(url).query)) == "query"


def test_a_link_ends_at_its_second():
    url = make_upload()

    assert check(url, now=NOW + timedelta(seconds=299.999))
    assert refusal_of(url, now=NOW + timedelta(seconds=300)) == "expired"


@pytest.mark.parametrize("sent", [None, "", "text/html", "application/pdf; charset=utf-8", "Application/PDF"])
def test_an_upload_of_another_type_is_refused(sent):
    assert refusal_of(make_upload(), content_type=sent) == "content_type"


@pytest.mark.parametrize("sent", [None, 0, 3, 5])
def test_an_upload_of_another_size_is_refused(sent):
    assert refusal_of(make_upload(), content_length=sent) == "size"


@pytest.mark.parametrize("sent", [None, "", '"an etag"'])
def test_a_link_for_one_upload_is_refused_without_its_condition(sent):
    url = make_upload(once=1)

    assert check(url, if_none_match="*").once
    assert refusal_of(url, if_none_match=sent) == "once"
    assert not check(make_upload()).once


def test_without_a_size_any_upload_that_says_its_size_is_granted():
    url = make_upload(size=None)

    assert check(url, content_length=10**9).size is None
    assert refusal_of(url, content_length=None) == "size"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PATCH", "put"])
def test_no_other_method_is_ever_granted(method):
    assert refusal_of(make_upload(), method=method) == "method"


def test_repr_hides_the_secret():
    assert LINKS.secret not in repr(LINKS)

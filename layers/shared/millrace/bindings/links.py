"""Signed links to a folder bucket: what S3 does with presigned addresses, for the local cloud to honour."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode

from millrace.bindings.bucket import ANY
from millrace.errors import LinkRefused

# Part of what is signed, so that a link of another making never fits.
FORMAT = "millrace-link-1"
PARAMETERS = {
    "PUT": {"content_type", "size", "once", "expires", "signature"},
    "GET": {"filename", "expires", "signature"},
    "DELETE": {"expires", "signature"},
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a link that was honoured allows. None where it says nothing."""

    content_type: str | None
    size: int | None
    filename: str | None
    once: bool = False


@dataclass(frozen=True, slots=True)
class FolderLinks:
    """Makes links and checks them. `url` is where the local cloud serves the bucket."""

    url: str
    secret: str = field(repr=False)

    def make(self, method: str, *, key: str, expires_at: datetime, **facts: str | int | None) -> str:
        signed = {name: str(value) for name, value in facts.items() if value is not None}
        signed["expires"] = str(int(expires_at.timestamp()))
        query = urlencode(
            {**signed, "signature": self._signature(method, key=key, facts=signed)}, quote_via=quote
        )
        return f"{self.url}/{quote(key)}?{query}"

    def check(
        self,
        method: str,
        *,
        key: str,
        query: str,
        content_type: str | None,
        content_length: int | None,
        if_none_match: str | None = None,
        now: datetime,
    ) -> Grant:
        """What the link allows, if this request keeps to it. LinkRefused names the rule it breaks.

        The key comes decoded, the query as it was sent.
        """
        facts = read_query(query, method=method)
        signature = facts.pop("signature")
        # Nothing that a link says is believed before this line.
        if not hmac.compare_digest(
            signature.encode(), self._signature(method, key=key, facts=facts).encode()
        ):
            raise LinkRefused("signature", "the link was not made for this request")
        if now >= datetime.fromtimestamp(int(facts["expires"]), UTC):
            raise LinkRefused("expired", "the link is no longer valid")
        size = int(facts["size"]) if "size" in facts else None
        if method == "PUT":
            check_upload(facts["content_type"], size=size, sent_type=content_type, sent_size=content_length)
        once = "once" in facts
        if once and if_none_match != ANY:
            raise LinkRefused("once", f"the link is for an upload with If-None-Match: {ANY}")
        return Grant(facts.get("content_type"), size, facts.get("filename"), once=once)

    def _signature(self, method: str, *, key: str, facts: dict[str, str]) -> str:
        text = json.dumps([FORMAT, method, key, sorted(facts.items())])
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_query(query: str, *, method: str) -> dict[str, str]:
    if method not in PARAMETERS:
        raise LinkRefused("method", f"a link allows {', '.join(PARAMETERS)}, not {method}")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=8)
    except ValueError as error:
        raise LinkRefused("query", "the link's query cannot be read") from error
    facts = dict(pairs)
    if len(facts) != len(pairs):
        raise LinkRefused("query", "a parameter is there twice")
    if not {"expires", "signature"} <= facts.keys() <= PARAMETERS[method]:
        raise LinkRefused("query", "a parameter is missing or unknown")
    return facts


def check_upload(
    content_type: str, *, size: int | None, sent_type: str | None, sent_size: int | None
) -> None:
    if sent_type is None or sent_type.strip() != content_type:
        raise LinkRefused("content_type", f"the link is for {content_type}")
    if sent_size is None:
        raise LinkRefused("size", "an upload says its Content-Length")
    if size is not None and sent_size != size:
        raise LinkRefused("size", f"the link is for {size} bytes, not {sent_size}")

"""What S3 does with a presigned request, written from AWS's description of Signature Version 4.

Not botocore's code: what botocore signs is what is tested here.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote


class RequestRefused(Exception):
    """S3 would answer 403."""


def check_presigned(
    method: str, *, target: str, headers: Mapping[str, str], secret: str, now: datetime
) -> None:
    """`target` and `headers` as they came over the wire, the names of the headers in lower case."""
    path, _, query = target.partition("?")
    parameters = dict(pair.partition("=")[::2] for pair in query.split("&"))
    signature = parameters.pop("X-Amz-Signature", "")
    date, scope, names = (
        unquote(parameters.get(name, ""))
        for name in ("X-Amz-Date", "X-Amz-Credential", "X-Amz-SignedHeaders")
    )
    scope = scope.partition("/")[2]
    signed = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in names.split(";"))
    ordered = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    canonical = "\n".join((method, path, ordered, signed, names, "UNSIGNED-PAYLOAD"))
    text = "\n".join(("AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    if not hmac.compare_digest(signature, sign(text, secret=secret, scope=scope)):
        raise RequestRefused("SignatureDoesNotMatch")
    made_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if now > made_at + timedelta(seconds=int(parameters["X-Amz-Expires"])):
        raise RequestRefused("Request has expired")


def sign(text: str, *, secret: str, scope: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

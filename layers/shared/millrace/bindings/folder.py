"""`env.BUCKET` on a folder: the embedded bucket of a laptop and of the tests.

An object is one file, named by the SHA-256 of its key: so no key can lead out of the folder, "a" lives
beside "a/b", and "A" beside "a" where the file system cannot tell them apart. Its facts follow its content in
the same file, which appears by a rename: they cannot get out of step, and a crash leaves the old object or
the new one.

    objects/2c26b46b68ff…    content, facts as JSON, their length (4 bytes), END
    incoming/…               what is being written; left there by a crash, and harmless
"""

import hashlib
import json
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self

from millrace.bindings.bucket import (
    MOST_BYTES,
    MOST_LISTED,
    Body,
    Link,
    ListedObject,
    Listing,
    ObjectFacts,
    check_content_type,
    check_expiry,
    check_filename,
    check_key,
    check_limit,
    check_prefix,
    check_range,
    read_whole,
    upload_headers,
)
from millrace.bindings.links import FolderLinks, Grant
from millrace.errors import BucketError, ConfigurationInvalid, ObjectExists, ObjectTooLarge

END = b"millrace"
TAIL = struct.Struct(f">I{len(END)}s")
FILE_NAME = re.compile(r"[0-9a-f]{64}")


class FolderBucket:
    """Links need `links`; everything else works without them."""

    def __init__(self, folder: str | Path, *, now: Callable[[], datetime], links: FolderLinks | None = None):
        self.folder = Path(folder).absolute()
        self._now = now
        self._links = links

    def __repr__(self) -> str:
        return f"FolderBucket({str(self.folder)!r})"

    def get(self, key: str, *, most_bytes: int = MOST_BYTES) -> bytes | None:
        return read_whole(self.open(key), most_bytes=most_bytes)

    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Body | None:
        check_range(offset, length=length)
        file = self._open_file(self._path(key))
        if file is None:
            return None
        with closed_on_error(file):
            facts = read_stored(file).facts
            file.seek(offset)
        rest = max(0, facts.size - offset)
        return Body(file, facts=facts, length=rest if length is None else min(rest, length))

    def head(self, key: str) -> ObjectFacts | None:
        body = self.open(key, length=0)
        if body is None:
            return None
        with body:
            return body.facts

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        self.write_stream(key, [body], content_type=content_type, most_bytes=len(body))

    def write_stream(
        self, key: str, chunks: Iterable[bytes], *, content_type: str, most_bytes: int
    ) -> ObjectFacts:
        """Write what need not fit into memory. ObjectTooLarge, and nothing written, beyond `most_bytes`."""
        with self.upload(key, content_type=content_type, most_bytes=most_bytes) as upload:
            for chunk in chunks:
                upload.write(chunk)
        return upload.facts

    def upload(self, key: str, *, content_type: str, most_bytes: int, once: bool = False) -> "Upload":
        """The same, piece by piece: for who is given the chunks and cannot be asked for them.

        With `once`, ObjectExists, and nothing written, where there is an object already.
        """
        facts = ObjectFacts(0, check_content_type(content_type), "", self._now())
        return Upload(self._path(key), key=key, facts=facts, most_bytes=most_bytes, once=once)

    def delete(self, keys: str | Iterable[str]) -> None:
        for path in [self._path(key) for key in ([keys] if isinstance(keys, str) else keys)]:
            with failing_as_bucket_error(f"deleting in {self.folder}"), suppress(FileNotFoundError):
                path.unlink()

    def list(self, prefix: str = "", *, limit: int = MOST_LISTED, cursor: str | None = None) -> Listing:
        """Differs: S3 keeps an index, here every file is opened. A laptop's folder bears it."""
        check_limit(limit)
        check_prefix(prefix)
        after = check_prefix(cursor or "").encode()
        wanted = [one for one in self._stored() if one.key.startswith(prefix) and one.key.encode() > after]
        found = sorted(wanted, key=lambda one: one.key.encode())
        page = tuple(
            ListedObject(one.key, one.facts.size, one.facts.etag, one.facts.uploaded_at)
            for one in found[:limit]
        )
        return Listing(page, cursor=page[-1].key if len(found) > limit else None)

    def presign_upload(
        self,
        key: str,
        *,
        content_type: str,
        size: int | None,
        expires_seconds: int,
        now: datetime,
        once: bool = False,
    ) -> Link:
        expires_at = end_of_link(expires_seconds, now=now)
        url = self._signer().make(
            "PUT",
            key=check_key(key),
            expires_at=expires_at,
            content_type=check_content_type(content_type),
            size=size,
            once=1 if once else None,
        )
        return Link(url, "PUT", upload_headers(content_type, size=size, once=once), expires_at)

    def presign_download(
        self, key: str, *, expires_seconds: int, now: datetime, filename: str | None = None
    ) -> Link:
        expires_at = end_of_link(expires_seconds, now=now)
        saved_as = None if filename is None else check_filename(filename)
        url = self._signer().make("GET", key=check_key(key), expires_at=expires_at, filename=saved_as)
        return Link(url, "GET", {}, expires_at)

    def presign_delete(self, key: str, *, expires_seconds: int, now: datetime) -> Link:
        expires_at = end_of_link(expires_seconds, now=now)
        url = self._signer().make("DELETE", key=check_key(key), expires_at=expires_at)
        return Link(url, "DELETE", {}, expires_at)

    def check_link(
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
        """For the local cloud: what the link allows. LinkRefused names the rule that this request breaks."""
        return self._signer().check(
            method,
            key=key,
            query=query,
            content_type=content_type,
            content_length=content_length,
            if_none_match=if_none_match,
            now=now,
        )

    def _signer(self) -> FolderLinks:
        if self._links is None:
            raise ConfigurationInvalid(
                "BUCKET_LINKS_URL and BUCKET_LINKS_SECRET are missing: no link can be made"
            )
        return self._links

    def _path(self, key: str) -> Path:
        return self.folder / "objects" / hashlib.sha256(check_key(key).encode()).hexdigest()

    def _open_file(self, path: Path) -> BinaryIO | None:
        """The file itself, never one that a symbolic link points to."""
        with failing_as_bucket_error(f"opening an object in {self.folder}"):
            try:
                return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
            except FileNotFoundError:
                return None

    def _stored(self) -> Iterator["Stored"]:
        objects = self.folder / "objects"
        for path in objects.iterdir() if objects.is_dir() else ():
            file = self._open_file(path) if FILE_NAME.fullmatch(path.name) else None
            if file is not None:
                with file:
                    yield read_stored(file)


class Upload:
    """An object on its way in. It is there once its `with` has ended well; otherwise nothing has happened."""

    def __init__(self, path: Path, *, key: str, facts: ObjectFacts, most_bytes: int, once: bool):
        self._path = path
        self._incoming = path.parent.parent / "incoming" / os.urandom(16).hex()
        self._key = key
        self._most_bytes = most_bytes
        self._once = once
        self._digest = hashlib.sha256()
        self.facts = facts

    def __enter__(self) -> Self:
        with failing_as_bucket_error("beginning an upload"):
            for folder in (self._path.parent, self._incoming.parent):
                folder.mkdir(parents=True, exist_ok=True)
            self._file = self._incoming.open("xb")
        return self

    def write(self, chunk: bytes) -> None:
        self.facts = replace(self.facts, size=self.facts.size + len(chunk))
        if self.facts.size > self._most_bytes:
            raise ObjectTooLarge(f"the upload has more than {self._most_bytes} bytes")
        self._digest.update(chunk)
        with failing_as_bucket_error("writing an upload"):
            self._file.write(chunk)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with failing_as_bucket_error("ending an upload"):
            try:
                if kind is None:
                    self._finish()
            finally:
                self._file.close()
                self._incoming.unlink(missing_ok=True)

    def _finish(self) -> None:
        self.facts = replace(self.facts, etag=self._digest.hexdigest())
        written = json.dumps({"key": self._key, **asdict(self.facts)}, default=datetime.isoformat).encode()
        self._file.write(written + TAIL.pack(len(written), END))
        self._file.close()
        if self._once:
            self._appear_once()
        else:
            self._incoming.replace(self._path)

    def _appear_once(self) -> None:
        """A second name for the file, which is given only where nothing has that name."""
        try:
            os.link(self._incoming, self._path)
        except FileExistsError as error:
            raise ObjectExists("there is an object under this key already") from error


@dataclass(frozen=True, slots=True)
class Stored:
    key: str
    facts: ObjectFacts


def read_stored(file: BinaryIO) -> Stored:
    """What stands behind the content of an open object."""
    try:
        size = os.fstat(file.fileno()).st_size - TAIL.size
        file.seek(size)
        length, end = TAIL.unpack(file.read(TAIL.size))
        file.seek(size - length)
        written = json.loads(file.read(length))
        key, uploaded_at = written.pop("key"), datetime.fromisoformat(written.pop("uploaded_at"))
        facts = ObjectFacts(**written, uploaded_at=uploaded_at)
    except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
        raise BucketError(f"{file.name} is not an object: {error}") from error
    if end != END or facts.size != size - length:
        raise BucketError(f"{file.name} is not a whole object")
    return Stored(key, facts)


def end_of_link(expires_seconds: int, *, now: datetime) -> datetime:
    """Whole seconds, as the link says it."""
    return (now + timedelta(seconds=check_expiry(expires_seconds))).replace(microsecond=0)


@contextmanager
def failing_as_bucket_error(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BucketError(f"{doing}: {error}") from error


@contextmanager
def closed_on_error(file: BinaryIO) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.close()
        raise

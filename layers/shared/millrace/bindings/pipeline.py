"""The wire of PostgreSQL: pg8000's connection, taught to send many statements under one Sync."""

import json
import select
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pg8000 import core

from millrace.bindings import stopwatch
from millrace.bindings.database import Meta, Result, Statement, placeholders, to_json
from millrace.bindings.stopwatch import Deadline
from millrace.errors import StatementInvalid, ValueUnreadable

SYNC = core.SYNC_MSG
# Describe and execute the unnamed portal, asking for all its rows.
DESCRIBE_AND_EXECUTE = core._create_message(core.DESCRIBE, b"P\x00") + core.EXECUTE_MSG
_message: Callable[[bytes, bytes], bytes] = core._create_message

# The parameter's type by its Python type; without them PostgreSQL guesses from context, and guesses differ.
TEXT, BOOL, INT8, FLOAT8, BYTEA, TIMESTAMPTZ, DATE, JSONB, UNKNOWN = 25, 16, 20, 701, 17, 1184, 1082, 3802, 0

ENCODE: dict[type, tuple[int, Callable[[Any], str]]] = {
    bool: (BOOL, lambda value: "t" if value else "f"),
    int: (INT8, int.__repr__),
    float: (FLOAT8, float.__repr__),
    str: (TEXT, str.__str__),
    bytes: (BYTEA, lambda value: "\\x" + value.hex()),
    datetime: (TIMESTAMPTZ, lambda value: value.astimezone(UTC).isoformat()),
    date: (DATE, date.isoformat),
    dict: (JSONB, to_json),
    list: (JSONB, to_json),
}

DECODE: dict[int, Callable[[str], Any]] = {
    BOOL: lambda text: text == "t",
    BYTEA: lambda text: bytes.fromhex(text[2:]),
    DATE: date.fromisoformat,
    TIMESTAMPTZ: datetime.fromisoformat,
    **dict.fromkeys((INT8, 23, 21, 26), int),
    **dict.fromkeys((FLOAT8, 700), float),
    **dict.fromkeys((TEXT, 1043, 1042, 19, 18, 705), str),
    **dict.fromkeys((JSONB, 114), json.loads),
}


# Who vouches for Amazon RDS: no system knows these roots.
RDS_ROOTS = Path(__file__).with_name("rds.pem")
RDS_HOSTS = (".rds.amazonaws.com", ".rds.amazonaws.com.cn")


@cache
def ssl_context(*, for_rds: bool) -> ssl.SSLContext:
    """Made once: the system's takes longer to read than connecting takes (20 ms), that of RDS 4."""
    if not for_rds:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(RDS_ROOTS)
    return context


# A way through a NAT that was forgotten while we were frozen swallows what is sent, without a word. A line
# that does so for this long counts as broken.
UNACKNOWLEDGED_MILLISECONDS = 2_000
# For what is still said when the time is over: give it up, and goodbye.
GRACE_SECONDS = 1
CANCEL_REQUEST = 80877102


class Connection(core.CoreConnection):  # type: ignore[misc]  # pg8000 has no types
    """One session of one server."""

    def __init__(self, user: str, *, timeout: float | None, answer_seconds: float | None, **options: Any):
        """`answer_seconds`: how long the server may take over a statement. None: as long as it likes."""
        patience = str(int((answer_seconds or 0) * 1000))
        started_with = {"TimeZone": "UTC", "DateStyle": "ISO", "statement_timeout": patience}
        options |= {"startup_params": started_with, "application_name": "millrace"}
        super().__init__(user, timeout=timeout, **options)
        self.last_used = stopwatch.seconds()
        self._is_spoilt = False
        self._received = bytearray()
        self._usock.settimeout(None)
        # Without it the last packet of a message over 8 KiB waits 40 ms for an acknowledgement.
        self._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Differs: macOS does not have it.
        if answer_seconds is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            self._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLISECONDS)

    def is_stale(self, *, idle_seconds: float) -> bool:
        """Spoilt, idle for long, or spoken to while idle: then the server has hung up or is about to."""
        if self._is_spoilt or self._received or stopwatch.seconds() - self.last_used > idle_seconds:
            return True
        watch = select.poll()
        watch.register(self._usock, select.POLLIN)
        return bool(watch.poll(0))

    def run_pipeline(
        self, statements: Sequence[Statement], *, results: list[Result], deadline: Deadline
    ) -> None:
        """Send all, then read all. What was answered before an error is in `results`.

        What is not answered in time is cancelled: then nobody waits for its locks, and it is not done after
        we said that it was not. TimeoutError means that not even this was answered.
        """
        reading = _Reading(results)
        try:
            self._usock.settimeout(deadline.left())
            self._usock.sendall(b"".join([*map(_messages, statements), SYNC]))
            self._read_or_cancel(reading, deadline=deadline)
        except OSError as broken:
            # The server's last words, if it had any, say why.
            raise broken from reading.error
        self.last_used = stopwatch.seconds()
        if self._transaction_status != core.IDLE:
            self._is_spoilt = True
            raise reading.error or StatementInvalid("it left a transaction open, and that is given up")
        if reading.error is not None:
            raise reading.error

    def close(self) -> None:
        """A line on which nothing moves any more does not hold it up."""
        if self._usock is not None:
            self._usock.settimeout(GRACE_SECONDS)
        super().close()

    def _read_or_cancel(self, reading: "_Reading", *, deadline: Deadline) -> None:
        try:
            self._read_answers(reading, deadline=deadline)
        except TimeoutError:
            if not deadline.is_over:
                raise
            self._is_spoilt = True
            self._cancel()
            self._read_answers(reading, deadline=Deadline(GRACE_SECONDS))

    def _read_answers(self, reading: "_Reading", *, deadline: Deadline) -> None:
        code = None
        while code != core.READY_FOR_QUERY:
            code, data = self._receive(deadline)
            if handle := ANSWERS.get(code):
                handle(reading, data)
            else:
                self.message_types[code](data, reading)

    def _receive(self, deadline: Deadline) -> tuple[bytes, bytes]:
        """One message: its code and its data. After a TimeoutError it can be asked for again, whole."""
        self._await(5, deadline=deadline)
        code, size = core.ci_unpack(self._received)
        self._await(1 + size, deadline=deadline)
        data = bytes(self._received[5 : 1 + size])
        del self._received[: 1 + size]
        return code, data

    def _await(self, size: int, *, deadline: Deadline) -> None:
        while len(self._received) < size:
            self._usock.settimeout(deadline.left())
            piece = self._usock.recv(1 << 16)
            if not piece:
                raise ConnectionResetError("the server hung up")
            self._received += piece

    def _cancel(self) -> None:
        """Over a line of its own, as the protocol wants it. The server hangs up when it has passed it on."""
        with suppress(OSError):
            address = self._usock.getpeername()[:2]
            with socket.create_connection(address, timeout=GRACE_SECONDS) as line:
                line.sendall(struct.pack("!ii", 16, CANCEL_REQUEST) + self._backend_key_data)
                line.recv(1)


class _Reading:
    """The answers to a pipeline as they come in: the statement being answered, and those before it."""

    def __init__(self, results: list[Result]):
        self.results = results
        self.error: Exception | None = None
        self._forget()

    def describe(self, data: bytes) -> None:
        place = 2
        for _ in range(core.H_unpack(data)[0]):
            end = data.index(0, place)
            # A column may name its type for SQLite: "oldest [TIMESTAMPTZ]".
            self._columns.append(data[place:end].decode().partition(" [")[0])
            oid = struct.unpack_from("!i", data, end + 7)[0]
            if oid not in DECODE:
                self.error = ValueUnreadable(f"column {self._columns[-1]}: type {oid} is unknown to SQLite")
            self._decoders.append(DECODE.get(oid, str))
            place = end + 19

    def add_row(self, data: bytes) -> None:
        place, values = 2, []
        for decode in self._decoders:
            size = core.i_unpack(data, place)[0]
            place += 4
            values.append(None if size < 0 else decode(data[place : place + size].decode()))
            place += max(size, 0)
        self._tuples.append(tuple(values))

    def complete(self, data: bytes) -> None:
        """`INSERT 0 3`, `UPDATE 3`, `SELECT 3`: rows read are no changes."""
        words = data[:-1].split()
        written = words[-1:] if words and words[0] in (b"INSERT", b"UPDATE", b"DELETE", b"MERGE") else [b"0"]
        self.results.append(Result(tuple(self._columns), self._tuples, Meta(int(written[0]), 0.0)))
        self._forget()

    def ignore(self, data: bytes) -> None:
        """Parsed, bound, nothing to describe: the statement's own answer follows."""

    def _forget(self) -> None:
        self._columns: list[str] = []
        self._decoders: list[Callable[[str], Any]] = []
        self._tuples: list[tuple[Any, ...]] = []


ANSWERS: dict[bytes, Callable[[_Reading, bytes], None]] = {
    core.PARSE_COMPLETE: _Reading.ignore,
    core.BIND_COMPLETE: _Reading.ignore,
    core.NO_DATA: _Reading.ignore,
    core.ROW_DESCRIPTION: _Reading.describe,
    core.DATA_ROW: _Reading.add_row,
    core.COMMAND_COMPLETE: _Reading.complete,
    core.EMPTY_QUERY_RESPONSE: _Reading.complete,
}


def _messages(statement: Statement) -> bytes:
    """Parse, Bind, Describe and Execute of one statement, all unnamed."""
    oids, texts = [], []
    for value in statement.values:
        oid, encode = (UNKNOWN, str) if value is None else _encoding(type(value))
        oids.append(oid)
        texts.append(None if value is None else encode(value).encode())
    parse = b"\x00" + placeholders(statement.sql).numbered.encode() + b"\x00" + _counted(oids)
    # Unnamed portal and statement; every value and every answer as text.
    bind = struct.pack("!xxHH", 0, len(texts)) + b"".join(map(_sized, texts)) + struct.pack("!H", 0)
    return b"".join((_message(core.PARSE, parse), _message(core.BIND, bind), DESCRIBE_AND_EXECUTE))


def _encoding(kind: type[Any]) -> tuple[int, Callable[[Any], str]]:
    """Of the type itself or of the one it derives from (an enumeration of texts is text)."""
    return next(ENCODE[ancestor] for ancestor in kind.__mro__ if ancestor in ENCODE)


def _counted(oids: list[int]) -> bytes:
    return struct.pack(f"!H{len(oids)}i", len(oids), *oids)


def _sized(text: bytes | None) -> bytes:
    return struct.pack("!i", -1) if text is None else struct.pack("!i", len(text)) + text

"""Whom the database's connection trusts."""

import ssl
from datetime import UTC, datetime

import pytest

from millrace.bindings import postgres
from millrace.bindings.pipeline import RDS_ROOTS, ssl_context
from millrace.bindings.postgres import PostgresDatabase


def test_amazon_s_roots_are_all_there_valid_for_long_and_roots():
    roots = ssl_context(for_rds=True).get_ca_certs()

    assert len(roots) == RDS_ROOTS.read_text().count("BEGIN CERTIFICATE") == 27
    for root in roots:
        ends = datetime.strptime(root["notAfter"], "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
        assert ends > datetime(2060, 1, 1, tzinfo=UTC)
        assert root["subject"] == root["issuer"]
        assert "Amazon RDS" in str(root["subject"])


def test_a_server_of_amazon_s_is_known_by_its_roots_alone_and_by_its_name():
    context = ssl_context(for_rds=True)

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("host", "tls", "given"),
    [
        ("millrace.cluster-x.eu-west-1.rds.amazonaws.com", None, ssl_context(for_rds=True)),
        ("db.example.com", None, ssl_context(for_rds=False)),
        ("rds.amazonaws.com.example.com", "verify", ssl_context(for_rds=False)),
        ("127.0.0.1", None, False),
        ("db.example.com", "off", False),
    ],
)
def test_the_host_decides_whom_a_connection_trusts(monkeypatch, host, tls, given):
    options = []
    monkeypatch.setattr(postgres, "Connection", lambda _user, **named: options.append(named))

    PostgresDatabase(f"postgresql://millrace_api@{host}/millrace", tls=tls).connect()

    assert options[0]["ssl_context"] is given

"""Whom the calls of providers believe that they are who they should be."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from millrace.bindings.ai.calls import Api
from millrace.bindings.secrets import ApiKey
from millrace.bindings.stopwatch import Deadline
from millrace.domain.model_access import Key
from millrace.errors import ModelUnavailable
from tests.bindings.loopback import accepting


@pytest.fixture
def impostor(tmp_path):
    """The context of a server that has a certificate for 127.0.0.1, which nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_who_cannot_prove_who_they_are_is_not_told_the_key(impostor):
    heard = []

    def listen(connection):
        try:
            with impostor.wrap_socket(connection, server_side=True) as secured:
                heard.append(secured.recv(1_000))
        except OSError as error:
            heard.append(error)

    with accepting(listen) as url:
        api = Api(url.replace("http:", "https:"), key=ApiKey(Key("OPENAI_API_KEY", value="a-key")))
        with pytest.raises(ModelUnavailable, match="SSLCertVerificationError"):
            api.post("/chat", {}, deadline=Deadline(60))

    assert [one for one in heard if isinstance(one, bytes)] in ([], [b""])

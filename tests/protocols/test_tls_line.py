"""What TLS vouches for, by handshakes in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from twisted_mail_node.protocols.tls_line import (
    awaits_certificate,
    bindings_of,
    can_bind,
    certificate_of,
    client_certificate,
    end_point_of,
)

NOW = datetime.now(UTC)
AUTHORITY = ec.generate_private_key(ec.SECP256R1())
CLIENT = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca.a.test")])
TLS_1_2 = SSL.OP_NO_TLSv1_3


def certificate(key, *extensions, issuer=AUTHORITY, days=1, algorithm=None):
    """A certificate of the authority, or of another key in its name."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "joe")]))
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=2))
        .not_valid_after(NOW + timedelta(days=days))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    hashed = None if isinstance(issuer, ed25519.Ed25519PrivateKey) else algorithm or hashes.SHA256()
    return builder.sign(issuer, hashed)


def authority():
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(AUTHORITY.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(NOW - timedelta(days=3)).not_valid_after(NOW + timedelta(days=9))
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(AUTHORITY, hashes.SHA256())


def addresses(*names):
    return x509.SubjectAlternativeName([x509.RFC822Name(name) for name in names])


@implementer(ISSLTransport)
class Transport:
    """A transport as TLSMemoryBIOProtocol is one."""

    def __init__(self, handle):
        self._handle = handle

    def getHandle(self):  # noqa: N802
        return self._handle


def context(key, own, options=0):
    made = SSL.Context(SSL.TLS_METHOD)
    made.set_options(options)
    if own is not None:
        made.use_privatekey(key)
        made.use_certificate(own)
    return made


def connected(server_context, client_context):
    """Both ends after their handshake; the server's as a transport."""
    server, client = SSL.Connection(server_context, None), SSL.Connection(client_context, None)
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(6):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
    return Transport(server), client


def server_context(options=0, own=None, key=CLIENT, *, asks=False, takes_all=False):
    made = context(key, own or certificate(key), options)
    if asks:
        made.get_cert_store().add_cert(X509.from_cryptography(authority()))
        made.set_verify(SSL.VERIFY_PEER, lambda *args: takes_all or bool(args[4]))
    return made


def test_tls_1_3_is_bound_by_exporter_and_by_the_servers_certificate():
    own = certificate(CLIENT)
    transport, client = connected(server_context(own=own), context(None, None))
    assert bindings_of(transport) == {
        "tls-exporter": client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b""),
        "tls-server-end-point": own.fingerprint(hashes.SHA256()),
    }
    assert can_bind(transport)


def test_every_connection_has_an_exporter_of_its_own():
    shared = server_context()
    one, other = (bindings_of(connected(shared, context(None, None))[0]) for _ in range(2))
    assert one["tls-exporter"] != other["tls-exporter"]
    assert one["tls-server-end-point"] == other["tls-server-end-point"]


def test_tls_1_2_is_bound_by_the_servers_certificate_alone():
    transport, _ = connected(server_context(TLS_1_2), context(None, None))
    assert list(bindings_of(transport)) == ["tls-server-end-point"]
    assert can_bind(transport)


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda one: one.name)
def test_certificate_is_hashed_as_it_was_signed(algorithm):
    own = certificate(CLIENT, algorithm=algorithm)
    assert end_point_of(own) == own.fingerprint(algorithm)


class Signed:
    """A certificate as those that cryptography signs no more."""

    def __init__(self, algorithm):
        self.algorithm = algorithm

    @property
    def signature_hash_algorithm(self):
        if self.algorithm is None:
            raise UnsupportedAlgorithm("unknown")
        return self.algorithm

    def fingerprint(self, algorithm):
        return algorithm.name


@pytest.mark.parametrize("algorithm", [hashes.MD5(), hashes.SHA1()], ids=lambda one: one.name)
def test_certificate_signed_with_a_weak_hash_is_hashed_by_sha_256(algorithm):
    # RFC 5929 §4.1
    assert end_point_of(Signed(algorithm)) == "sha256"


def test_certificate_signed_in_a_way_that_is_not_known_binds_nothing():
    assert end_point_of(Signed(None)) is None


def test_certificate_signed_without_a_hash_binds_nothing():
    key = ed25519.Ed25519PrivateKey.generate()
    own = certificate(key, issuer=key)
    transport, _ = connected(server_context(own=own, key=key), context(None, None))
    assert list(bindings_of(transport)) == ["tls-exporter"]
    assert can_bind(transport)
    transport, _ = connected(server_context(TLS_1_2, own=own, key=key), context(None, None))
    assert bindings_of(transport) == {}
    assert not can_bind(transport)


def test_nothing_is_bound_before_the_handshake_is_over():
    server = SSL.Connection(server_context(), None)
    server.set_accept_state()
    assert bindings_of(Transport(server)) == {}
    assert can_bind(Transport(server))
    assert certificate_of(Transport(server)) is None
    assert not awaits_certificate(Transport(server))


def test_certificate_is_awaited_until_the_handshake_is_over():
    asking = server_context(asks=True)
    server = SSL.Connection(asking, None)
    server.set_accept_state()
    assert awaits_certificate(Transport(server))
    assert not awaits_certificate(connected(asking, context(None, None))[0])


@pytest.mark.parametrize("transport", [None, StringTransport(), Transport(object())])
def test_without_tls_of_ours_there_is_nothing(transport):
    assert bindings_of(transport) == {}
    assert not can_bind(transport)
    assert not awaits_certificate(transport)
    assert certificate_of(transport) is None


def test_certificate_of_a_client_that_holds():
    own = certificate(CLIENT, addresses("joe@a.test", "Joe@B.test"))
    transport, _ = connected(server_context(asks=True), context(CLIENT, own))
    found = certificate_of(transport)
    assert found.addresses == ("joe@a.test", "Joe@B.test")
    assert found.subject == "CN=joe"
    assert sha256(found.der).digest() == own.fingerprint(hashes.SHA256())


def test_client_without_a_certificate_has_none():
    assert certificate_of(connected(server_context(asks=True), context(None, None))[0]) is None


@pytest.mark.parametrize(
    "own",
    [
        certificate(CLIENT, addresses("joe@a.test"), issuer=CLIENT),
        certificate(CLIENT, addresses("joe@a.test"), days=-1),
    ],
    ids=["by nobody", "out of time"],
)
def test_certificate_that_was_let_through_does_not_hold(own):
    transport, _ = connected(server_context(asks=True, takes_all=True), context(CLIENT, own))
    assert transport.getHandle().get_peer_certificate() is not None
    assert certificate_of(transport) is None


def test_certificate_that_nobody_asked_for_is_not_looked_at():
    transport, _ = connected(server_context(), context(CLIENT, certificate(CLIENT, addresses("joe@a.test"))))
    assert certificate_of(transport) is None


def test_certificate_has_to_be_for_clients_where_it_says_for_what():
    for_clients = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    for_servers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    assert client_certificate(certificate(CLIENT, for_clients, addresses("joe@a.test"))) is not None
    assert client_certificate(certificate(CLIENT, for_servers, addresses("joe@a.test"))) is None


def test_certificate_without_addresses_has_none():
    assert client_certificate(certificate(CLIENT)).addresses == ()


def test_certificate_that_cannot_be_read_is_none():
    # A subject alternative name that is no sequence.
    broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x01\x02")
    assert client_certificate(certificate(CLIENT, broken)) is None

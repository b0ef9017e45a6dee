"""Certificates and keys: those given, those made, and what a handshake gives."""

import datetime
import os
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from OpenSSL.SSL import Error, WantReadError

from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.first_start import load_own_certificate
from twisted_mail_node.node.state import StateFolder
from twisted_mail_node.node.tls import ServerTLS, make_certificate
from twisted_mail_node.testing.certificates import issue

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def files(tmp_path):
    """Where a certificate and its key lie."""
    certificate, key = make_certificate(["mx.a.test"], datetime.datetime.now(datetime.UTC))
    (tmp_path / "cert.pem").write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(key)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def handshake(tls, client_context, name="localhost"):
    """Let Python's ssl speak to the context in memory; give the client's side."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(incoming, outgoing, server_hostname=name)
    server = tls.serverConnectionForTLS(None)
    server.set_accept_state()
    for _ in range(6):
        for step in (client.do_handshake, server.do_handshake):
            try:
                step()
            except (ssl.SSLWantReadError, WantReadError):
                pass
            if sent := outgoing.read():
                server.bio_write(sent)
            try:
                incoming.write(server.bio_read(65536))
            except WantReadError:
                pass
    return client


def test_a_client_that_trusts_the_certificate_gets_a_sound_connection(files):
    tls = ServerTLS()
    tls.load(*files)
    client = handshake(tls, ssl.create_default_context(cafile=str(files[0])), "mx.a.test")
    assert client.version() == "TLSv1.3"


def test_older_clients_get_tls_1_2_with_forward_secrecy(files):
    tls = ServerTLS()
    tls.load(*files)
    context = ssl.create_default_context(cafile=str(files[0]))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = handshake(tls, context)
    assert client.version() == "TLSv1.2"
    assert client.cipher()[0].startswith("ECDHE-")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_1_1_and_weak_ciphers_are_refused(files):
    tls = ServerTLS()
    tls.load(*files)
    for weaken in (
        lambda context: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_1),
        lambda context: (
            setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_2),
            context.set_ciphers("AES128-SHA:@SECLEVEL=0"),
        ),
    ):
        context = ssl.create_default_context(cafile=str(files[0]))
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        weaken(context)
        with pytest.raises((ssl.SSLError, Error)):
            handshake(tls, context)


def test_loading_again_gives_new_connections_the_new_certificate(files, tmp_path):
    tls = ServerTLS()
    tls.load(*files)
    certificate, key = make_certificate(["other.test"], datetime.datetime.now(datetime.UTC))
    files[0].write_bytes(certificate)
    files[1].write_bytes(key)
    tls.load(*files)
    client = handshake(tls, ssl.create_default_context(cadata=certificate.decode()), "other.test")
    assert client.version() == "TLSv1.3"


def test_a_client_that_knows_the_root_only_is_sent_the_chain(files):
    root = issue("root.test")
    middle = issue("middle.test", issuer=root, authority=True)
    leaf = issue("mx.a.test", issuer=middle)
    files[1].write_bytes(leaf.key_pem)
    trust = ssl.create_default_context(cadata=root.pem.decode())
    tls = ServerTLS()
    files[0].write_bytes(leaf.pem)
    tls.load(*files)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls, trust, "mx.a.test")
    files[0].write_bytes(leaf.pem + middle.pem)
    tls.load(*files)
    assert handshake(tls, trust, "mx.a.test").version() == "TLSv1.3"


def encrypted(key):
    secret = serialization.BestAvailableEncryption(b"x")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


def plain(key):
    nothing = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, nothing)


@pytest.mark.parametrize(
    ("which", "content", "told"),
    [
        (0, None, "the certificate {0} can't be read: no such file or directory"),
        (1, None, "the private key {1} can't be read: no such file or directory"),
        (0, b"nonsense", "the certificate {0} is not a certificate in PEM form"),
        (1, b"nonsense", "the private key {1} is not a key in PEM form"),
        (1, make_certificate(["x.test"], NOW)[1], "the private key {1} does not belong to the certificate {0}"),
        (
            1,
            encrypted(rsa.generate_private_key(65537, 2048)),
            "the private key {1} has a passphrase, which the node can't know",
        ),
        (1, plain(x25519.X25519PrivateKey.generate()), "the private key {1} is of a kind that TLS does not use"),
    ],
    ids=["no-certificate", "no-key", "bad-certificate", "bad-key", "other-key", "passphrase", "kind"],
)
def test_a_file_that_cannot_be_used_is_told_in_one_sentence(files, which, content, told):
    if content is None:
        files[which].unlink()
    else:
        files[which].write_bytes(content)
    with pytest.raises(CannotStart) as caught:
        ServerTLS().load(*files)
    assert str(caught.value) == told.format(*files)


def test_a_certificate_is_made_once_and_its_key_is_private(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    load_own_certificate(ServerTLS(), state, ["localhost"])
    made = state.certificate.read_bytes()
    assert stat.S_IMODE(os.stat(state.private_key).st_mode) == 0o600
    load_own_certificate(ServerTLS(), state, ["localhost"])
    assert state.certificate.read_bytes() == made
    state.private_key.unlink()
    load_own_certificate(ServerTLS(), state, ["localhost"])
    assert state.certificate.read_bytes() != made
    state.close()


def test_a_made_certificate_names_its_hosts_and_loopback():
    certificate = x509.load_pem_x509_certificate(make_certificate(["mx.xn--r8jz45g.test", "a.test"], NOW)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx.xn--r8jz45g.test", "a.test", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]

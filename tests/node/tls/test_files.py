"""Certificates, keys and authorities that can't be used are told in one sentence, with the file that is to blame."""

import tempfile
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from twisted.internet.task import Clock

from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.tls import ServerTLS, load_contexts
from twisted_mail_node.testing.certificates import issue

from .conversation import Conversation, settings, trusting, written


@pytest.fixture
def files(tmp_path):
    """The paths of a certificate and its key."""
    return written(tmp_path, "a", issue("mx.a.test"))


def encrypted(key):
    secret = serialization.BestAvailableEncryption(b"x")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


def plain(key):
    nothing = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, nothing)


MISTAKES = [
    ("certificate", None, "the certificate {0} can't be read: no such file or directory"),
    ("private_key", None, "the private key {1} can't be read: no such file or directory"),
    ("certificate", b"nonsense", "the certificate {0} is not a certificate in PEM form"),
    ("private_key", b"nonsense", "the private key {1} is not a key in PEM form"),
    ("private_key", issue("x.test").key_pem, "the private key {1} does not belong to the certificate {0}"),
    (
        "private_key",
        encrypted(rsa.generate_private_key(65537, 2048)),
        "the private key {1} has a passphrase, which the node can't know",
    ),
    (
        "private_key",
        plain(x25519.X25519PrivateKey.generate()),
        "the private key {1} is of a kind that TLS does not use",
    ),
]


@pytest.mark.parametrize(
    ("which", "content", "told"),
    MISTAKES,
    ids=["no-certificate", "no-key", "bad-certificate", "bad-key", "other-key", "passphrase", "kind"],
)
@pytest.mark.parametrize("is_further", [False, True])
def test_a_file_that_cannot_be_used_is_told(files, tmp_path, which, content, told, is_further):
    if content is None:
        files[which].unlink()
    else:
        files[which].write_bytes(content)
    good = written(tmp_path, "good", issue("mx.b.test"))
    with pytest.raises(CannotStart) as caught:
        load_contexts(settings(good, files) if is_further else settings(files))
    assert str(caught.value) == told.format(*files.values())


def test_a_key_that_is_too_short_is_told(files):
    short = issue("mx.a.test", with_rsa=True, rsa_bits=1024)
    files["certificate"].write_bytes(short.pem)
    files["private_key"].write_bytes(short.key_pem)
    with pytest.raises(CannotStart) as caught:
        load_contexts(settings(files))
    assert str(caught.value) == f"the certificate {files['certificate']} can't be used: ee key too small"


def altered(pem, before, after):
    """The same with other octets in place of some, which OpenSSL need not know. Signatures do not hold any more."""
    begin, *lines, end = pem.decode().splitlines()
    return f"{begin}\n{b64encode(b64decode(''.join(lines)).replace(before, after)).decode()}\n{end}\n".encode()


# Of prime256v1, and of prime239v3, which cryptography does not know.
CURVE, OTHER_CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030106")


@pytest.mark.parametrize(
    ("which", "before", "after", "told"),
    [
        ("certificate", CURVE, OTHER_CURVE, "the certificate {0} can't be used: Curve 1.2.840.10045.3.1.6 is not sup"),
        ("certificate", b"mx.a.test", b"mx.\xfc.test", "the certificate {0} can't be used: error parsing asn1 value"),
        ("private_key", CURVE, OTHER_CURVE, "the private key {1} is of a kind that TLS does not use"),
    ],
    ids=["curve", "name", "curve-of-key"],
)
def test_what_nobody_can_read_is_told(files, which, before, after, told):
    files[which].write_bytes(altered(files[which].read_bytes(), before, after))
    with pytest.raises(CannotStart) as caught:
        load_contexts(settings(files))
    assert str(caught.value).startswith(told.format(*files.values()))


def test_a_machine_without_room_for_a_temporary_file_is_told(files, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(files["certificate"].parent / "none"))
    with pytest.raises(CannotStart) as caught:
        load_contexts(settings(files))
    path = files["certificate"]
    assert str(caught.value) == f"the certificate {path} can't be handed to OpenSSL: no such file or directory"


def test_a_further_certificate_that_nobody_can_ask_for_is_told(files, tmp_path):
    nameless = written(tmp_path, "b", issue("192.0.2.1"))
    assert load_contexts(settings(nameless, files)).pairs[0].names == ()
    with pytest.raises(CannotStart, match="has no host name"):
        load_contexts(settings(files, nameless))


def test_authorities_that_are_none_are_told(files, tmp_path):
    with pytest.raises(CannotStart, match=r"clients.pem can't be read"):
        load_contexts(settings(files, client_authorities=tmp_path / "clients.pem"))


BROKEN_LIST = b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "can't be read: no such file or directory"),
        (b"", "has none in PEM form"),
        (b"nonsense", "has none in PEM form"),
        (BROKEN_LIST, "has none in PEM form"),
    ],
    ids=["none", "empty", "nonsense", "broken"],
)
def test_revocation_lists_that_are_none_are_told(files, tmp_path, content, told):
    path = tmp_path / "revoked.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CannotStart) as caught:
        load_contexts(settings(files, client_authorities=files["certificate"], client_revocations=path))
    assert str(caught.value).startswith(f"the file of revocation lists {path} ")
    assert str(caught.value).endswith(told)


def test_what_cannot_be_used_leaves_what_was_loaded_before(files):
    tls = ServerTLS(Clock())
    tls.load(settings(files))
    shown = tls.pairs[0].chain[0]
    files["certificate"].write_bytes(issue("mx.a.test").pem)
    with pytest.raises(CannotStart):
        tls.reload()
    assert tls.pairs[0].chain[0] == shown


def test_what_renewal_looks_at_is_every_file(files, tmp_path):
    tls = ServerTLS(Clock())
    assert tls.files == ()
    further = written(tmp_path, "b", issue("mx.b.test"))
    authorities = tmp_path / "clients.pem"
    authorities.write_bytes(files["certificate"].read_bytes())
    tls.load(settings(files, further, client_authorities=authorities))
    assert set(tls.files) == {*files.values(), *further.values(), authorities}


@pytest.mark.parametrize("kind", ["ECDSA", "RSA"])
def test_keys_of_every_kind_serve(tmp_path, kind):
    tls = ServerTLS(Clock())
    issued = issue("mx.a.test", with_rsa=kind == "RSA")
    tls.load(settings(written(tmp_path, "a", issued)))
    assert tls.pairs[0].kind == kind
    assert Conversation(tls, trusting(issued), "mx.a.test").shown == issued.der

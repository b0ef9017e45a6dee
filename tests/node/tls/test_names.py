"""Which certificate is shown for the name that a client asks for."""

from dataclasses import dataclass

import pytest
from twisted.internet.task import Clock

from twisted_mail_node.node.tls import ServerTLS
from twisted_mail_node.node.tls.names import ByName, names_of
from twisted_mail_node.testing.certificates import issue

from .conversation import Conversation, settings, trusting, written


@dataclass(frozen=True)
class Certificate:
    label: str
    names: tuple[str, ...]
    kind: str = "ECDSA"


def chosen(name, *certificates):
    """The labels of the certificates that a client gets to choose from."""
    return ByName(certificates, lambda those: "+".join(one.label for one in those)).of(name)


FIRST = Certificate("first", ("mx.a.test",))
RSA = Certificate("rsa", ("mx.a.test",), "RSA")
OTHER = Certificate("other", ("mx.b.test", "imap.b.test"))
WILD = Certificate("wild", ("*.b.test",))
WILD_RSA = Certificate("wild-rsa", ("*.b.test",), "RSA")
IDN = Certificate("idn", ("mx.xn--r8jz45g.test",))
NAMELESS = Certificate("nameless", ())


@pytest.mark.parametrize(
    ("name", "certificates", "label"),
    [
        (b"mx.b.test", [FIRST, OTHER], "other"),
        (b"MX.B.Test", [FIRST, OTHER], "other"),
        (b"mx.b.test.", [FIRST, OTHER], "other"),
        (b"imap.b.test", [FIRST, OTHER], "other"),
        (None, [FIRST, OTHER], "first"),
        (b"", [FIRST, OTHER], "first"),
        (b"unknown.test", [FIRST, OTHER], "first"),
        (b"mx.xn--r8jz45g.test", [FIRST, IDN], "idn"),
        ("mx.例え.test".encode(), [FIRST, IDN], "first"),
        (b"\xff\x00", [FIRST, OTHER], "first"),
        (b"pop.b.test", [FIRST, WILD], "wild"),
        (b"b.test", [FIRST, WILD], "first"),
        (b"a.pop.b.test", [FIRST, WILD], "first"),
        (b"*.b.test", [FIRST, WILD], "wild"),
        (b"mx.b.test", [FIRST, WILD, OTHER], "other"),
        (b"mx.b.test", [WILD, OTHER], "other"),
        (b"pop.b.test", [WILD, OTHER], "wild"),
        (b"mx.b.test", [FIRST, OTHER, WILD_RSA], "other+wild-rsa"),
        (b"mx.a.test", [FIRST, RSA], "first+rsa"),
        (None, [FIRST, RSA], "first+rsa"),
        (None, [FIRST, OTHER, WILD_RSA], "first"),
        (b"mx.a.test", [FIRST, Certificate("second", ("mx.a.test",))], "first"),
        (None, [NAMELESS, FIRST, RSA], "nameless"),
        (b"mx.a.test", [NAMELESS, FIRST, RSA], "first+rsa"),
        (b"", [Certificate("bare", ("*",)), FIRST], "bare"),
        (b"localhost", [FIRST, Certificate("bare", ("*",))], "first"),
    ],
)
def test_a_name_finds_its_certificates(name, certificates, label):
    assert chosen(name, *certificates) == label


def test_what_is_made_of_the_same_certificates_is_made_once():
    made = []
    contexts = ByName([FIRST, OTHER, WILD], made.append)
    assert len(made) == 3
    assert contexts.of(b"mx.b.test") is contexts.of(b"imap.b.test")


def test_the_common_name_is_no_host_name():
    assert names_of(issue("Mx.A.test", "192.0.2.1", "joe@a.test").certificate) == ("mx.a.test",)


@pytest.mark.parametrize("asks", [False, True])
def test_clients_are_shown_the_certificate_of_their_name(tmp_path, asks):
    first, other, wild = issue("mx.a.test"), issue("mx.b.test"), issue("*.b.test")
    authorities = tmp_path / "clients.pem"
    authorities.write_bytes(first.pem)
    tls = ServerTLS(Clock())
    files = [written(tmp_path, str(number), one) for number, one in enumerate((first, other, wild))]
    tls.load(settings(*files, client_authorities=authorities if asks else None))
    trust = trusting(first, other, wild)
    for name, certificate in (("mx.a.test", first), ("mx.b.test", other), ("pop.b.test", wild)):
        assert Conversation(tls, trust, name, asks=asks).shown == certificate.der
    assert Conversation(tls, trust, asks=asks).shown == first.der


def test_of_rsa_and_ecdsa_a_client_gets_what_it_knows_each_with_its_own_chain(tmp_path):
    tls = ServerTLS(Clock())
    roots = issue("ecdsa-root.test"), issue("rsa-root.test")
    middles = [issue(f"middle-{number}.test", issuer=root, authority=True) for number, root in enumerate(roots)]
    ecdsa, rsa = issue("mx.a.test", issuer=middles[0]), issue("mx.a.test", issuer=middles[1], with_rsa=True)
    tls.load(settings(written(tmp_path, "e", ecdsa, middles[0]), written(tmp_path, "r", rsa, middles[1])))
    for ciphers, certificate, root in (("ECDHE-ECDSA", ecdsa, roots[0]), ("ECDHE-RSA", rsa, roots[1])):
        trust = trusting(root)
        trust.maximum_version = trust.maximum_version.TLSv1_2
        trust.set_ciphers(f"{ciphers}-AES128-GCM-SHA256")
        assert Conversation(tls, trust, "mx.a.test").shown == certificate.der
    assert Conversation(tls, trusting(*roots), "mx.a.test").shown == ecdsa.der

"""Certificates of clients: asked for where accounts log in, demanded nowhere."""

import ssl

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.internet.task import Clock

from twisted_mail_node.node.tls import ServerTLS
from twisted_mail_node.testing.certificates import issue

from .conversation import Conversation, settings, trusting, written


@pytest.fixture(scope="module")
def authority():
    return issue("authority.test")


@pytest.fixture
def talk(tmp_path, authority):
    issued = issue("mx.a.test")
    path = tmp_path / "clients.pem"
    path.write_bytes(authority.pem)
    tls = ServerTLS(Clock())
    tls.load(settings(written(tmp_path, "a", issued), client_authorities=path))

    def talk(certificate=None, *, version=ssl.TLSVersion.TLSv1_3, asks=True):
        context = trusting(issued)
        context.maximum_version = version
        if certificate is not None:
            files = written(tmp_path, "client", certificate)
            context.load_cert_chain(files["certificate"], files["private_key"])
        return Conversation(tls, context, "mx.a.test", asks=asks)

    return talk


def is_served(conversation):
    conversation.client.write(b"hello")
    conversation.carry()
    return conversation.server.recv(10) == b"hello"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_the_authorities_is_there_to_be_looked_at(talk, authority, version):
    mine = issue("joe@a.test", issuer=authority, extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])])
    conversation = talk(mine, version=version)
    assert is_served(conversation)
    assert conversation.server.get_peer_certificate().to_cryptography() == mine.certificate


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["none", "stranger", "ended", "server"])
def test_who_has_none_or_one_that_does_not_hold_is_served_as_well(talk, authority, version, kind):
    certificate = {
        "none": lambda: None,
        "stranger": lambda: issue("joe@a.test"),
        "ended": lambda: issue("joe@a.test", issuer=authority, days=-1),
        "server": lambda: issue(
            "joe@a.test", issuer=authority, extensions=[x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])]
        ),
    }[kind]()
    assert is_served(talk(certificate, version=version))


def test_the_client_is_told_which_authorities_count(talk, authority):
    names = talk(issue("joe@a.test", issuer=authority)).server.get_client_ca_list(as_cryptography=True)
    assert names == [authority.certificate.subject]


def test_where_nobody_logs_in_nobody_is_asked(talk, authority):
    conversation = talk(issue("joe@a.test", issuer=authority), asks=False)
    assert is_served(conversation)
    assert conversation.server.get_peer_certificate() is None
    assert not conversation.server.get_verify_mode()

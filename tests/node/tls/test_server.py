"""What a handshake gives: versions, ciphers, chains, sessions, and new certificates for new connections."""

import ssl

import pytest
from OpenSSL.SSL import Error
from twisted.internet.task import Clock

from twisted_mail_node.node.tls import ServerTLS
from twisted_mail_node.node.tls.contexts import TICKET_SECONDS
from twisted_mail_node.testing.certificates import issue

from .conversation import Conversation, settings, trusting, written


@pytest.fixture
def tls():
    return ServerTLS(Clock())


@pytest.fixture
def issued():
    return issue("mx.a.test")


@pytest.fixture
def loaded(tls, issued, tmp_path):
    tls.load(settings(written(tmp_path, "a", issued)))
    return tls


def test_a_client_that_trusts_the_certificate_gets_a_sound_connection(loaded, issued):
    assert Conversation(loaded, trusting(issued), "mx.a.test").client.version() == "TLSv1.3"


def test_older_clients_get_tls_1_2_with_forward_secrecy(loaded, issued):
    context = trusting(issued)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = Conversation(loaded, context, "mx.a.test").client
    assert client.version() == "TLSv1.2"
    assert client.cipher()[0].startswith("ECDHE-")
    assert client.compression() is None


def test_of_what_a_client_knows_the_server_chooses(loaded, issued):
    chosen = set()
    for ciphers in ("ECDHE+AES256:ECDHE+AES128", "ECDHE+AES128:ECDHE+AES256"):
        context = trusting(issued)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        chosen.add(Conversation(loaded, context, "mx.a.test").client.cipher()[0])
    assert len(chosen) == 1


def test_nothing_is_negotiated_anew(loaded, issued):
    context = trusting(issued)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(Error, match="no renegotiation"):
        Conversation(loaded, context, "mx.a.test").server.renegotiate()


def with_tls_1_1(context):
    context.maximum_version = ssl.TLSVersion.TLSv1_1


def with_ciphers(ciphers):
    def weaken(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")

    return weaken


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize(
    "weaken",
    [with_tls_1_1, *map(with_ciphers, ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE", "aNULL"))],
    ids=["tls-1.1", "cbc", "no-forward-secrecy", "ecdhe-cbc", "dhe", "anonymous"],
)
def test_what_is_weak_is_refused(loaded, issued, weaken):
    context = trusting(issued)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    weaken(context)
    with pytest.raises((ssl.SSLError, Error)):
        Conversation(loaded, context, "mx.a.test")


def test_the_modern_policy_takes_tls_1_3_alone(tls, issued, tmp_path):
    tls.load(settings(written(tmp_path, "a", issued), policy="modern"))
    assert Conversation(tls, trusting(issued), "mx.a.test").client.version() == "TLSv1.3"
    older = trusting(issued)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, Error)):
        Conversation(tls, older, "mx.a.test")


def test_loading_again_gives_new_connections_the_new_certificate_and_leaves_the_old_alone(loaded, issued, tmp_path):
    old = Conversation(loaded, trusting(issued), "mx.a.test")
    renewed = issue("mx.a.test")
    written(tmp_path, "a", renewed)
    loaded.reload()
    assert Conversation(loaded, trusting(renewed), "mx.a.test").shown == renewed.der
    old.client.write(b"still here")
    old.carry()
    assert old.server.recv(100) == b"still here"


def test_a_client_that_knows_the_root_only_is_sent_the_chain(tls, tmp_path):
    root = issue("root.test")
    middle = issue("middle.test", issuer=root, authority=True)
    leaf = issue("mx.a.test", issuer=middle)
    tls.load(settings(written(tmp_path, "a", leaf)))
    with pytest.raises(ssl.SSLCertVerificationError):
        Conversation(tls, trusting(root), "mx.a.test")
    tls.load(settings(written(tmp_path, "a", leaf, middle)))
    assert Conversation(tls, trusting(root), "mx.a.test").client.version() == "TLSv1.3"


def test_a_connection_before_anything_was_loaded_is_a_mistake_of_ours(tls):
    with pytest.raises(RuntimeError):
        Conversation(tls, ssl.create_default_context(), "mx.a.test")


# -- sessions ---------------------------------------------------------------------------------------------------------


def is_resumed(tls, context, session, **options):
    return Conversation(tls, context, "mx.a.test", session=session, **options).client.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_until_the_keys_of_tickets_are_renewed(loaded, issued, version):
    context = trusting(issued)
    context.maximum_version = version
    session = Conversation(loaded, context, "mx.a.test").session()
    assert session.ticket_lifetime_hint == TICKET_SECONDS
    assert is_resumed(loaded, context, session)
    loaded.renew_tickets()
    assert not is_resumed(loaded, context, session)


def test_where_clients_are_asked_for_certificates_no_session_is_resumed(tls, issued, tmp_path):
    authority = tmp_path / "clients.pem"
    authority.write_bytes(issue("authority.test").pem)
    tls.load(settings(written(tmp_path, "a", issued), client_authorities=authority))
    context = trusting(issued)
    session = Conversation(tls, context, "mx.a.test", asks=True).session()
    assert not is_resumed(tls, context, session, asks=True)


def test_where_a_name_has_two_certificates_no_session_is_resumed(tls, issued, tmp_path):
    # Which one it was begun with could not be told, and SASL may be bound to it (RFC 5929 §4).
    other = issue("mx.a.test", with_rsa=True)
    tls.load(settings(written(tmp_path, "a", issued), written(tmp_path, "b", other)))
    context = trusting(issued, other)
    session = Conversation(tls, context, "mx.a.test").session()
    assert not is_resumed(tls, context, session)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nor_where_the_name_with_two_is_not_the_first(tls, issued, tmp_path, version):
    first, other = issue("mx.b.test"), issue("mx.a.test", with_rsa=True)
    pairs = [written(tmp_path, name, one) for name, one in (("first", first), ("a", issued), ("b", other))]
    tls.load(settings(*pairs))
    context = trusting(issued, other)
    context.maximum_version = version
    session = Conversation(tls, context, "mx.a.test").session()
    assert not is_resumed(tls, context, session)
    # The others have tickets as ever.
    context = trusting(first)
    context.maximum_version = version
    session = Conversation(tls, context, "mx.b.test").session()
    assert Conversation(tls, context, "mx.b.test", session=session).client.session_reused

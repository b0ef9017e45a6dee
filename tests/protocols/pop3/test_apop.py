"""APOP: offered where it can be, and what a digest proves."""

from __future__ import annotations

from hashlib import md5

import pytest
from twisted.cred.checkers import AllowAnonymousAccess
from twisted.cred.credentials import IUsernameHashedPassword
from zope.interface.verify import verifyObject

from twisted_mail_node.protocols.pop3.apop import Digest

OFFERED = b"+OK mx.example.test POP3 ready <nonce@mx.example.test>\r\n"
NOT_OFFERED = b"+OK mx.example.test POP3 ready\r\n"
LINE = b"APOP joe " + md5(b"<nonce@mx.example.test>secret").hexdigest().encode() + b"\r\n"


def test_it_is_off_by_default(server):
    line = server("1")
    assert line.take() == NOT_OFFERED
    assert line.say(LINE) == b"-ERR unknown command\r\n"


def test_it_is_offered_where_a_checker_takes_digests(server_of):
    line = server_of(apop=True)("1")
    assert line.take() == OFFERED
    assert line.say(LINE) == b"+OK 0 messages (0 octets)\r\n"


def test_it_is_not_offered_where_none_does(server_of):
    server = server_of(apop=True)
    portal = server.factory._authenticator._portal
    del portal.checkers[IUsernameHashedPassword]
    portal.registerChecker(AllowAnonymousAccess())
    line = server("1")
    assert line.take() == NOT_OFFERED
    assert line.say(LINE) == b"-ERR unknown command\r\n"


def test_it_is_not_offered_where_a_password_may_not_be_shown(server_of):
    server = server_of(apop=True)
    server.host = "192.0.2.1"
    assert server("1").take() == NOT_OFFERED


def test_guessing_by_digests_ends_the_connection_too(server_of):
    line = server_of(apop=True)("1")
    line.take()
    wrong = b"APOP joe " + b"0" * 32 + b"\r\n"
    assert line.say(wrong * 50) == b"-ERR [AUTH] name or digest is wrong\r\n" * 5
    assert line.closed


def digest_of(secret):
    return md5(b"<1@x>" + secret.encode()).hexdigest().encode()


# RFC 6856 §2.2: the secret is what SASLprep makes of it.
@pytest.mark.parametrize(
    ("kept", "typed", "proven"),
    [
        ("secret", "secret", True),
        (b"secret", "secret", True),
        ("Secret", "secret", False),
        ("pa\u00adss", "pass", True),
        ("\u2168", "IX", True),
        ("grün".encode(), "grün", True),
        (b"gr\xfcn", "grün", False),
        ("tab\t", "tab\t", False),
    ],
)
def test_what_a_digest_proves(kept, typed, proven):
    shown = Digest("joe@x", b"<1@x>", digest_of(typed))
    verifyObject(IUsernameHashedPassword, shown)
    assert shown.username == b"joe@x"
    assert shown.checkPassword(kept) is proven

"""The factory, its settings, and what CAPA lists."""

from __future__ import annotations

import pytest
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.mail.errors import InUse, NoSuchAccount, NoSuchMessage, TemporaryFailure
from twisted_mail_node.protocols.login import LoginRefused
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.protocols.pop3.authorization import _REASONS
from twisted_mail_node.protocols.pop3.languages import ENGLISH, language_of
from twisted_mail_node.protocols.pop3.lease import LocalMaildropLock
from twisted_mail_node.protocols.pop3.login_delay import LoggedInTooSoon, LoginDelay
from twisted_mail_node.protocols.pop3.refusal import refusal
from twisted_mail_node.testing.connections import MemoryConnection, MemoryTransport
from twisted_mail_node.wire.sasl.outcomes import RefusalReason


def test_it_is_a_factory(server):
    verifyObject(IProtocolFactory, server.factory)
    assert server.factory._locks is server.store


def test_store_without_locks_gets_local_ones():
    factory = POP3Factory(object(), POP3Settings(), Clock(), None)
    assert isinstance(factory._locks, LocalMaildropLock)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"timeout_seconds": 599}, "at least 600"),
        ({"language": "tlh"}, "no language 'tlh'"),
        ({"login_delay_seconds": -1}, "below 0"),
        ({"expire_days": -1}, "below 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, told):
    with pytest.raises(ValueError, match=told):
        POP3Settings(**wrong)


ALWAYS = {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UTF8 USER", "LANG"}


def listed(line):
    line.take()
    reply = line.say(b"CAPA\r\n").decode().split("\r\n")
    assert reply[-2:] == [".", ""]
    return set(reply[1:-2])


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("tls", [object(), None])
def test_capabilities_are_what_there_is(server_of, local, tls):
    server = server_of(tls_context=tls)
    server.host = "127.0.0.1" if local else "192.0.2.1"
    expected = ALWAYS | {"EXPIRE NEVER"} | ({"USER", "SASL PLAIN LOGIN"} if local else set())
    assert listed(server("1")) == expected | ({"STLS"} if tls else set())


def test_capabilities_tell_what_the_settings_say(server_of):
    server = server_of(login_delay_seconds=900, expire_days=0, implementation="")
    line = server("1")
    assert listed(line) >= {"LOGIN-DELAY 900", "EXPIRE 0"}
    line.say(b"USER joe\r\nPASS secret\r\n")
    assert listed(line) == ALWAYS | {"LOGIN-DELAY 900", "EXPIRE 0", "USER", "SASL PLAIN LOGIN"}


def test_login_delay_can_be_that_of_several_listeners(server):
    delay = LoginDelay(server.clock, 60)
    factories = [
        POP3Factory(server.store, POP3Settings(), server.clock, server.factory._authenticator, login_delay=delay)
        for _ in range(2)
    ]
    first, second = [MemoryConnection(factory.buildProtocol(None), MemoryTransport()) for factory in factories]
    login = b"USER joe\r\nPASS secret\r\n"
    assert first.say(login + b"QUIT\r\n").endswith(b"+OK bye\r\n")
    assert second.say(login).endswith(b"-ERR [LOGIN-DELAY] logged in just now, wait 60 s\r\n")


def test_every_refusal_of_an_exchange_has_its_words():
    assert _REASONS.keys() == set(RefusalReason)


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (LoginRefused("wrong"), b"-ERR [AUTH] wrong\r\n"),
        (LoggedInTooSoon(7), b"-ERR [LOGIN-DELAY] logged in just now, wait 7 s\r\n"),
        (InUse("x"), b"-ERR [IN-USE] another session has the maildrop\r\n"),
        (NoSuchMessage("x"), b"-ERR no such message any more\r\n"),
        (TemporaryFailure("later"), b"-ERR [SYS/TEMP] later\r\n"),
        (NoSuchAccount("gone"), b"-ERR [SYS/PERM] gone\r\n"),
        (KeyError("path"), b"-ERR [SYS/TEMP] cannot do that now, try again later\r\n"),
        (None, b"-ERR [SYS/TEMP] cannot do that now, try again later\r\n"),
    ],
)
def test_failures_in_words_of_pop3(error, reply):
    assert refusal(error, ENGLISH) == reply


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (LoginRefused("wrong"), "-ERR [AUTH] Benutzername oder Passwort ist falsch\r\n"),
        (InUse("x"), "-ERR [IN-USE] eine andere Sitzung benutzt das Postfach\r\n"),
        (LoggedInTooSoon(7), "-ERR [LOGIN-DELAY] die letzte Anmeldung liegt zu kurz zurück, bitte 7 s warten\r\n"),
        (NoSuchMessage("x"), "-ERR diese Nachricht gibt es nicht mehr\r\n"),
        (TemporaryFailure("later"), "-ERR [SYS/TEMP] das geht gerade nicht, bitte später noch einmal versuchen\r\n"),
        (NoSuchAccount("gone"), "-ERR [SYS/PERM] das geht nicht\r\n"),
    ],
)
def test_failures_in_another_language(error, reply):
    assert refusal(error, language_of("de")) == reply.encode()

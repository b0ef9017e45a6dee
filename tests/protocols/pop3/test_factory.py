"""The factory, its settings, and what CAPA lists."""

from __future__ import annotations

import pytest
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from twisted_mail_node.mail.errors import InUse, NoSuchAccount, NoSuchMessage, TemporaryFailure
from twisted_mail_node.protocols.login import LoginRefused
from twisted_mail_node.protocols.pop3 import POP3Factory, POP3Settings
from twisted_mail_node.protocols.pop3.capabilities import capabilities
from twisted_mail_node.protocols.pop3.lease import LocalMaildropLock
from twisted_mail_node.protocols.pop3.refusal import refusal


def test_it_is_a_factory(server):
    verifyObject(IProtocolFactory, server.factory)
    assert server.factory._locks is server.store


def test_store_without_locks_gets_local_ones():
    factory = POP3Factory(object(), POP3Settings(), Clock(), None)
    assert isinstance(factory._locks, LocalMaildropLock)


def test_timeout_below_the_standards_is_refused():
    with pytest.raises(ValueError, match="at least 600"):
        POP3Settings(timeout_seconds=599)


ALWAYS = {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"}


@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("mechanisms", [(), ("PLAIN",), ("PLAIN", "LOGIN")])
def test_capabilities_are_what_there_is(user, tls, mechanisms):
    listed = capabilities(mechanisms=mechanisms, user_allowed=user, tls_available=tls)
    expected = ALWAYS | ({"USER"} if user else set()) | ({"STLS"} if tls else set())
    assert set(listed) == expected | ({"SASL " + " ".join(mechanisms)} if mechanisms else set())


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (LoginRefused("wrong"), b"-ERR [AUTH] wrong\r\n"),
        (InUse("x"), b"-ERR [IN-USE] another session has the maildrop\r\n"),
        (NoSuchMessage("x"), b"-ERR no such message any more\r\n"),
        (TemporaryFailure("later"), b"-ERR [SYS/TEMP] later\r\n"),
        (NoSuchAccount("gone"), b"-ERR [SYS/PERM] gone\r\n"),
        (KeyError("path"), b"-ERR [SYS/TEMP] cannot do that now, try again later\r\n"),
        (None, b"-ERR [SYS/TEMP] cannot do that now, try again later\r\n"),
    ],
)
def test_failures_in_words_of_pop3(error, reply):
    assert refusal(error) == reply

"""Connections to slapd, and to servers that do not behave."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import pytest_twisted
from ldaptor.protocols import pureldap
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from twisted_mail_node.auth.ldap import connection as module
from twisted_mail_node.auth.ldap.connection import BASE_OBJECT, SUCCESS, WHOLE_SUBTREE, Server, connect
from twisted_mail_node.auth.ldap.queries import FilterTemplate, values_of
from twisted_mail_node.mail.errors import TemporaryFailure

from ...slapd import BASE, MANAGER, MANAGER_PASSWORD, Slapd

MAIL = FilterTemplate("(mail={user})")
ANN = f"uid=ann,ou=people,{BASE}"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("slapd")) as slapd:
        yield slapd


def at(slapd, tls, *, trusted=True):
    authority = Certificate.loadPEM(slapd.authority.read_bytes())
    trust = trustRootFromCertificates([authority]) if trusted else None
    port = slapd.tls_port if tls == "implicit" else slapd.port
    return Server(host="127.0.0.1", port=port, tls=tls, verification=optionsForClientTLS("127.0.0.1", trust))


@pytest.mark.ldap
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest_twisted.ensureDeferred
async def test_users_are_found_and_prove_who_they_are(slapd, tls):
    connection = await connect(reactor, at(slapd, tls))
    assert await connection.bind(MANAGER, MANAGER_PASSWORD) == SUCCESS
    assert connection.bound_as == MANAGER
    assert await connection.search(BASE, WHOLE_SUBTREE, MAIL.filled(values_of("ann@a.test")), 2) == [ANN]
    assert await connection.bind(ANN, "word of ann") == SUCCESS
    assert await connection.bind(ANN, "wrong") == 49
    assert connection.bound_as is None
    assert connection.is_open
    connection.close()


@pytest.mark.ldap
@pytest_twisted.ensureDeferred
async def test_a_name_is_a_value_for_the_server_as_well(slapd):
    connection = await connect(reactor, at(slapd, "none"))
    await connection.bind(MANAGER, MANAGER_PASSWORD)
    assert list(await connection.search(BASE, WHOLE_SUBTREE, MAIL.filled(values_of("*@a.test")), 2)) == []
    found = await connection.search(BASE, WHOLE_SUBTREE, MAIL.filled(values_of("a*b@a.test")), 2)
    assert found == [f"uid=a*b,ou=people,{BASE}"]
    nowhere = await connection.search(f"uid=x,{BASE}", BASE_OBJECT, MAIL.filled(values_of("ann@a.test")), 2)
    assert list(nowhere) == []
    with pytest.raises(TemporaryFailure, match="answers a search by 4"):
        await connection.search(BASE, WHOLE_SUBTREE, MAIL.filled(values_of("one@a.test")), 1)
    connection.close()


@pytest.mark.ldap
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest_twisted.ensureDeferred
async def test_a_server_that_nobody_vouches_for_hears_no_password(slapd, tls):
    async def prove():
        connection = await connect(reactor, at(slapd, tls, trusted=False))
        await connection.bind(ANN, "word of ann")

    with pytest.raises(TemporaryFailure, match="certificate"):
        await prove()


@pytest_twisted.ensureDeferred
async def test_where_nobody_listens_it_is_told():
    with pytest.raises(TemporaryFailure, match="is lost"):
        await connect(reactor, Server(host="127.0.0.1", port=1, tls="none"))


# -- servers that do not behave -------------------------------------------------------------------------------------


@asynccontextmanager
async def scripted(*answers, then_close=False):
    """A server that gives one answer to whatever comes, and perhaps hangs up."""

    class Scripted(Protocol):
        def dataReceived(self, data):
            for answer in answers:
                self.transport.write(answer)
            if then_close:
                self.transport.loseConnection()

    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Scripted))
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()


def answer(value):
    """Of a message, with the number that the next one of this process gets."""
    message = pureldap.LDAPMessage(value)
    return pureldap.LDAPMessage(value, id=message.id + 1).toWire()


async def asked(port, tls="none"):
    connection = await connect(reactor, Server(host="127.0.0.1", port=port, tls=tls))
    try:
        return await connection.bind(ANN, "x")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x30\x03\x02\x01\x05",
        b"220 mx.test ESMTP\r\n",
        b"\x00" * 64,
        b"\x30\x84\xff\xff\xff\xff" + b"x" * (module.MAX_WAITING_OCTETS + 1),
        b"",
    ],
    ids=["half a message", "another protocol", "nothing", "too much", "silence"],
)
@pytest_twisted.ensureDeferred
async def test_garbage_is_a_lost_connection(garbage):
    async with scripted(garbage, then_close=True) as port:
        with pytest.raises(TemporaryFailure, match="is lost"):
            await asked(port)


@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_begin_tls_hears_no_password():
    async with scripted(answer(pureldap.LDAPExtendedResponse(resultCode=2))) as port:
        with pytest.raises(TemporaryFailure, match="does not begin TLS"):
            await asked(port, "starttls")


@pytest_twisted.ensureDeferred
async def test_what_is_said_in_plain_text_behind_starttls_is_not_believed():
    begun = answer(pureldap.LDAPExtendedResponse(resultCode=0))
    async with scripted(begun + b"\x30\x0c\x02\x01") as port:
        with pytest.raises(TemporaryFailure, match="more in plain text"):
            await asked(port, "starttls")

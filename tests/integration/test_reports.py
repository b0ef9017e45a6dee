"""What was asked for, from one node to another and back: DSN (RFC 3461), SMTPUTF8, BINARYMIME."""

from __future__ import annotations

import email
import email.policy
import smtplib

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from twisted_mail_node import MemoryStore
from twisted_mail_node.node.doors import Storage
from twisted_mail_node.testing.fake_server import ScriptedServer
from twisted_mail_node.testing.node import PASSWORD, RunningNode

from .processes import free_port

ANN, BOB = "ann@a.test", "bob@b.test"
MESSAGE = b"From: ann@a.test\r\nMessage-ID: <1@a.test>\r\nSubject: hi\r\n\r\ntext to give back\r\n"
DSN = ["RET=FULL", "ENVID=QQ+2B1"]


async def started(folder, domain, smarthost_port, port=0, **more):
    folder.mkdir()
    settings = {
        "hostname": f"mx.{domain}",
        "domain": [{"name": domain}],
        "listen": [
            {"service": "smtp", "endpoint": f"tcp:{port}:interface=127.0.0.1", "tls": "none", "auth": "off"},
            {
                "service": "submission",
                "endpoint": "tcp:0:interface=127.0.0.1",
                "tls": "starttls",
                "auth": "required",
            },
        ],
        "relay": {"smarthost": f"127.0.0.1:{smarthost_port}", "smarthost_tls": "none"},
    }
    return await RunningNode.start(reactor, folder, settings, **more)


class Nodes:
    """A and B, each the other's smarthost."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    async def submit(self, *recipients, sender=ANN, mail=DSN, message=MESSAGE, node=None):
        """Hand in a message by A's submission; recipients are paths with their parameters."""
        await deferToThread(submit, node or self.a, sender, mail, recipients, message)

    async def report(self, name=ANN):
        """The next message of A's user, as a report: its subject, groups of fields, and what is given back."""
        return read(await self.a.wait_for_message(name))


def submit(node, sender, mail, recipients, message):
    with smtplib.SMTP("localhost", node.port("submission"), timeout=20) as client:
        client.starttls(context=node.trust)
        client.login("ann", PASSWORD)
        commands = [f"MAIL FROM:<{sender}> {' '.join(mail)}", *(f"RCPT TO:{recipient}" for recipient in recipients)]
        for command in commands:
            client.send(command.encode() + b"\r\n")
            assert client.getreply()[0] == 250, command
        client.send(b"BDAT %d LAST\r\n" % len(message) + message)
        assert client.getreply()[0] == 250


def read(content):
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    _, status, returned = message.iter_parts()
    groups = [dict(block.items()) for block in status.iter_parts()]
    return str(message["Subject"]), groups, returned.as_bytes()


@pytest_twisted.async_yield_fixture
async def nodes(tmp_path):
    port_a, port_b = free_port("127.0.0.1"), free_port("127.0.0.1")
    a = await started(tmp_path / "a", "a.test", port_b, port_a)
    b = await started(tmp_path / "b", "b.test", port_a, port_b)
    await a.add_user(ANN)
    await b.add_user(BOB)
    yield Nodes(a, b)
    await a.stop()
    await b.stop()


@pytest_twisted.ensureDeferred
async def test_the_last_node_tells_of_success_what_the_first_one_was_asked(nodes):
    await nodes.submit(f"<{BOB}> NOTIFY=SUCCESS ORCPT=rfc822;Robert+2Bx@B.test")
    subject, (about, recipient), returned = await nodes.report()
    assert subject == "Your message was delivered"
    assert (about["Reporting-MTA"], about["Original-Envelope-Id"]) == ("dns; mx.b.test", "QQ+1")
    assert recipient["Original-Recipient"] == "rfc822; Robert+x@B.test"
    assert recipient["Final-Recipient"] == f"rfc822; {BOB}"
    assert (recipient["Action"], recipient["Status"]) == ("delivered", "2.0.0")
    assert b"Subject: hi" in returned
    assert b"text to give back" not in returned
    assert (await nodes.b.wait_for_message(BOB)).endswith(MESSAGE)


@pytest_twisted.ensureDeferred
async def test_failure_is_told_to_who_did_not_say_never_and_with_the_message(nodes):
    await nodes.submit("<nobody@b.test> NOTIFY=NEVER", "<noone@b.test> NOTIFY=FAILURE ORCPT=rfc822;no+2Done@b.test")
    subject, (about, recipient), returned = await nodes.report()
    assert subject == "Your message was not delivered"
    assert (about["Reporting-MTA"], about["Original-Envelope-Id"]) == ("dns; mx.a.test", "QQ+1")
    assert recipient["Original-Recipient"] == "rfc822; no-one@b.test"
    assert (recipient["Final-Recipient"], recipient["Action"]) == ("rfc822; noone@b.test", "failed")
    assert returned.startswith(b"Content-Type: message/rfc822")
    assert returned.endswith(MESSAGE.replace(b"\r\n", b"\n")) or returned.endswith(MESSAGE)
    assert len(await nodes.a.messages(ANN)) == 1


@pytest_twisted.ensureDeferred
async def test_never_is_never(nodes):
    await nodes.submit("<nobody@b.test> NOTIFY=NEVER", f"<{BOB}> NOTIFY=NEVER", f"<{ANN}> NOTIFY=NEVER")
    await nodes.submit(f"<{BOB}> NOTIFY=SUCCESS", mail=["ENVID=last"])
    _, (about, _), _ = read(await next_report(nodes))
    assert about["Original-Envelope-Id"] == "last"
    assert len(await nodes.a.messages(ANN)) == 2


async def next_report(nodes):
    """The first message of A's user that is none of those that were handed in."""
    while (content := await nodes.a.wait_for_message(ANN)).endswith(MESSAGE):
        pass
    return content


@pytest_twisted.ensureDeferred
async def test_an_alias_is_expanded_where_it_is(nodes):
    await nodes.b.node.operations.perform("alias.add", {"source": "all@b.test", "targets": [BOB, ANN]})
    await nodes.submit("<all@b.test> NOTIFY=SUCCESS,FAILURE")
    contents = [await nodes.a.wait_for_message(ANN), await nodes.a.wait_for_message(ANN)]
    (report,) = [content for content in contents if not content.endswith(MESSAGE)]
    _, (_, recipient), _ = read(report)
    assert (recipient["Action"], recipient["Final-Recipient"]) == ("expanded", "rfc822; all@b.test")
    assert (await nodes.b.wait_for_message(BOB)).endswith(MESSAGE)


@pytest_twisted.ensureDeferred
async def test_addresses_and_headers_beyond_ascii_go_all_the_way(nodes):
    """RFC 6531, RFC 6533."""
    await nodes.a.add_user("änne@a.test")
    await nodes.b.add_user("jürgen@b.test")
    message = MESSAGE.replace(b"Subject: hi", "Subject: grüße".encode())
    recipients = ["<jürgen@b.test> NOTIFY=SUCCESS ORCPT=utf-8;jürgen@b.test", "<änne@a.test> NOTIFY=SUCCESS"]
    await nodes.submit(*recipients, mail=["SMTPUTF8", "BODY=8BITMIME"], message=message)
    assert (await nodes.b.wait_for_message("jürgen@b.test")).endswith(message)
    reports = [await nodes.a.wait_for_message(ANN) for _ in range(2)]
    (delivered,) = [report for report in reports if b"Reporting-MTA: dns; mx.b.test" in report]
    assert b"Content-Type: message/global-delivery-status" in delivered
    assert b"Original-Recipient: utf-8; j=C3=BCrgen@b.test" in delivered
    assert b"Content-Type: message/global-headers" in delivered
    assert delivered.isascii()


@pytest_twisted.ensureDeferred
async def test_binary_content_goes_all_the_way_octet_for_octet(nodes):
    """RFC 3030 §3."""
    message = MESSAGE + b"\r\n.\r\n\0\n\r\xff" * 50_000
    await nodes.submit(f"<{BOB}>", mail=["BODY=BINARYMIME"], message=message)
    assert (await nodes.b.wait_for_message(BOB)).endswith(message)


@pytest_twisted.ensureDeferred
async def test_success_in_a_mailbox_of_the_same_node_is_told(nodes):
    await nodes.submit(f"<{ANN}> NOTIFY=SUCCESS")
    _, (about, recipient), _ = read(await next_report(nodes))
    assert (about["Reporting-MTA"], recipient["Action"]) == ("dns; mx.a.test", "delivered")


@pytest.fixture
def plain():
    """A host without DSN."""
    server = ScriptedServer(reactor)
    server.start()
    yield server
    pytest_twisted.blockon(server.stop())


@pytest_twisted.ensureDeferred
async def test_a_store_behind_the_queue_tells_of_success_as_well(tmp_path, plain):
    """RFC 3461 §5.2.2 (b), §5.2.3: once it is in the mailbox, or with a host that does not report."""
    storage = Storage(MemoryStore(reactor), queue=None, directory=None)
    a = await started(tmp_path / "a", "a.test", plain.port, storage=storage)
    try:
        await a.add_user(ANN)
        nodes = Nodes(a, None)
        await nodes.submit(f"<{ANN}> NOTIFY=SUCCESS", f"<{BOB}> NOTIFY=SUCCESS", "<carol@b.test>")
        told = [read(content)[1] for content in [await next_report(nodes), await next_report(nodes)]]
        assert sorted((group["Action"], group["Final-Recipient"]) for _, *groups in told for group in groups) == [
            ("delivered", f"rfc822; {ANN}"),
            ("relayed", f"rfc822; {BOB}"),
        ]
        assert plain.messages[0].recipients == [f"<{BOB}>", "<carol@b.test>"]
    finally:
        await a.stop()


@pytest_twisted.ensureDeferred
async def test_binary_content_is_not_given_to_a_host_that_could_read_two_messages_in_it(tmp_path, plain):
    """RFC 3030 §3: never under any circumstances."""
    a = await started(tmp_path / "a", "a.test", plain.port)
    try:
        await a.add_user(ANN)
        nodes = Nodes(a, None)
        smuggled = b"\n.\nMAIL FROM:<x@a.test>\r\nRCPT TO:<y@b.test>\r\nDATA\r\nSubject: second\r\n\r\n.\r\n"
        await nodes.submit(f"<{BOB}>", mail=["BODY=BINARYMIME"], message=MESSAGE + smuggled)
        _, (_, recipient), returned = await nodes.report()
        assert (recipient["Action"], recipient["Status"]) == ("failed", "5.6.1")
        assert b"second" not in returned
        assert plain.messages == []
        assert "DATA" not in plain.commands
    finally:
        await a.stop()

"""The fixture kit for a whole node, used as another project would use it."""

import imaplib
import smtplib

import pytest
import pytest_twisted
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.internet.threads import deferToThread

from twisted_mail_node.testing.plugin import mail_node  # noqa: F401

ALICE = "alice@example.test"


def submit(node, text):
    with smtplib.SMTP("localhost", node.port("submission")) as client:
        client.starttls(context=node.trust)
        client.login(ALICE, "secret")
        client.sendmail(ALICE, [ALICE], text)


@pytest_twisted.ensureDeferred
async def test_a_message_that_is_submitted_arrives(mail_node):  # noqa: F811
    await mail_node.add_user(ALICE)
    await deferToThread(submit, mail_node, "Subject: one\r\n\r\nfirst\r\n")
    assert (await mail_node.wait_for_message(ALICE)).endswith(b"\r\n\r\nfirst\r\n")
    waiting = mail_node.wait_for_message(ALICE)
    await deferToThread(submit, mail_node, "Subject: two\r\n\r\nsecond\r\n")
    assert (await waiting).endswith(b"\r\n\r\nsecond\r\n")
    assert len(await mail_node.messages(ALICE)) == 2


@pytest_twisted.ensureDeferred
async def test_waiting_for_mail_that_does_not_come_ends(mail_node):  # noqa: F811
    await mail_node.add_user(ALICE)
    with pytest.raises(WaitedTooLong):
        await mail_node.wait_for_message(ALICE, timeout_seconds=0.05)


@pytest_twisted.ensureDeferred
async def test_a_port_is_found_by_service_and_tls(mail_node):  # noqa: F811
    await mail_node.add_user(ALICE)

    def login():
        client = imaplib.IMAP4_SSL("localhost", mail_node.port("imap", "implicit"), ssl_context=mail_node.trust)
        client.login(ALICE, "secret")
        return client.logout()[0]

    assert await deferToThread(login) == "BYE"
    with pytest.raises(LookupError):
        mail_node.port("lmtp", "implicit")

"""After all the others: clients are served in full, and who has been silent since the beginning was left."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
import time

from .node import IDLE_SECONDS, PASSWORD, USER


def test_clients_of_all_kinds_are_still_served_in_full(node):
    assert node.deliver(b"Subject: after all that\r\n\r\n..hello\r\n").startswith(b"250 2.0.0")
    port = node.process.listener("submission", "implicit")[1]
    with smtplib.SMTP_SSL("localhost", port, context=node.trust, timeout=20) as client:
        client.login(USER, PASSWORD)
        client.sendmail(USER, [USER], b"Subject: submitted\r\n\r\nx\r\n")
    port = node.process.listener("imap", "implicit")[1]
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=node.trust, timeout=20) as client:
        client.login(USER, PASSWORD)
        client.select()
        assert client.search(None, "SUBJECT", "smuggled") == ("OK", [b""])
        assert len(client.search(None, "SUBJECT", "submitted")[1][0].split()) == 1
    port = node.process.listener("pop3", "implicit")[1]
    client = poplib.POP3_SSL("localhost", port, context=node.trust, timeout=20)
    client.user(USER)
    client.pass_(PASSWORD)
    assert b".hello" in client.retr(client.stat()[0] - 1)[1]
    client.quit()


def test_silent_peers_were_left(silent):
    since, peers = silent
    for service, tls, peer in peers:
        told = peer.rest()
        assert time.monotonic() - since >= IDLE_SECONDS
        if tls == "implicit":
            assert told == b""
        else:
            assert told.splitlines()[-1].startswith(b"421 4.4.2"), (service, told)

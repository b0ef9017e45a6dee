"""Nodes that share a PostgreSQL database, each a process of its own, and clients that blocking tests speak through."""

from __future__ import annotations

import poplib
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imapclient

from .processes import NodeProcess

DOMAIN = "shared.test"
PASSWORD = "correct horse battery"
ANN = f"ann@{DOMAIN}"

_CONFIG = """
hostname = "{name}.{domain}"
state_dir = "state"
[[domain]]
name = "{domain}"
[[listen]]
service = "submission"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[[listen]]
service = "pop3"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[[listen]]
service = "imap"
endpoint = "tcp:0:interface=127.0.0.1"
tls = "none"
[store]
kind = "postgres"
dsn = "{dsn}"
[submission]
messages_per_account = 0
recipients_per_account = 0
[relay]
smarthost = "127.0.0.1:{smarthost_port}"
smarthost_tls = "none"
[queue]
lease = {lease}
retry_after = [1]
then_every = 1
"""


class SharingNode(NodeProcess):
    """
    A node on the database; it has the name that it says in EHLO. Its outgoing mail goes to `smarthost_port`.

    After `lease_seconds` others take what it was about to send, if it is dead: five minutes by default.
    """

    def __init__(self, folder: Path, name: str, dsn: str, smarthost_port: int = 9, lease_seconds: int = 300) -> None:
        self.name = f"{name}.{DOMAIN}"
        config = _CONFIG.format(name=name, domain=DOMAIN, dsn=dsn, smarthost_port=smarthost_port, lease=lease_seconds)
        super().__init__(folder / name, config)

    def imap(self, user: str = ANN, password: str = PASSWORD, timeout: float = 20) -> imapclient.IMAPClient:
        """A session that has logged in."""
        session = imapclient.IMAPClient(*self.listener("imap", "none"), ssl=False, timeout=timeout)
        session.login(user, password)
        return session

    def pop3(self, user: str = ANN, password: str = PASSWORD) -> poplib.POP3:
        """A session that has the maildrop."""
        session = poplib.POP3(*self.listener("pop3", "none"), timeout=20)
        session.user(user)
        session.pass_(password)
        return session

    def submission(self, timeout: float = 20) -> smtplib.SMTP:
        """A session that may send as Ann."""
        session = smtplib.SMTP(*self.listener("submission", "none"), timeout=timeout)
        session.login(ANN, PASSWORD)
        return session


def message(token: str, size: int = 500) -> str:
    """A message that is known by its subject, and shows by its end that it is whole."""
    filling = ("x" * 70 + "\r\n") * (size // 72)
    return f"Message-ID: <{token}@{DOMAIN}>\r\nSubject: {token}\r\n\r\n{filling}END\r\n"


def submit_all(node: SharingNode, tokens: Iterable[str], recipient: str, sessions: int = 4) -> None:
    """Submit a message for each token; all of them are answered with 250."""
    waiting = iter(tokens)
    lock = threading.Lock()

    def next_token() -> str | None:
        with lock:
            return next(waiting, None)

    def submit() -> None:
        with node.submission(timeout=60) as session:
            while token := next_token():
                assert session.sendmail(ANN, [recipient], message(token)) == {}

    with ThreadPoolExecutor(sessions) as pool:
        for submitting in [pool.submit(submit) for _ in range(sessions)]:
            submitting.result()


def tokens_in(node: SharingNode, user: str = ANN, mailbox: str = "INBOX") -> Counter[str]:
    """How often each message is there; every one of them whole."""
    tokens: Counter[str] = Counter()
    with node.imap(user, timeout=60) as session:
        session.select_folder(mailbox, readonly=True)
        uids = session.search()
        for start in range(0, len(uids), 200):
            for part in session.fetch(uids[start : start + 200], ["BODY.PEEK[]"]).values():
                token = re.search(rb"\r\nSubject: (\S+)", part[b"BODY[]"])[1].decode()
                assert part[b"BODY[]"].endswith(b"END\r\n"), f"{token} was cut"
                tokens[token] += 1
    return tokens

"""
What other nodes have committed, told here: a thread that listens for their notifications.

A notification is sent by the commit itself, so it comes with or after what it tells of. While the connection is lost
nothing is heard; when it is there again, everybody who watches is told to look. Neighbours: `shared` sends.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from json import loads
from select import select
from threading import Thread
from typing import Any

import psycopg
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ....mail.changes import ChangeKind, ChangeNotice
from ..engine import IReactor, Surroundings
from .connection import PostgresConnection
from .shared import CHANNEL

AGAIN_SECONDS = 1.0
"""Between two tries to connect again."""

# An account's name, its modseq, which of its mailboxes (None: too many to be named), what kinds of change.
_Change = tuple[str, int, frozenset[int] | None, ChangeKind]


class Listener:
    """
    The listening thread; see Companion.

    `open_connection` is called in it. Notifications of `node` itself are passed over: its writer tells them.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactor,
        around: Surroundings,
        node: str,
        open_connection: Callable[[], psycopg.Connection[Any]],
    ) -> None:
        self._reactor = reactor
        self._around = around
        self._node = node
        self._open_connection = open_connection
        self._running = False
        self._heard: deque[bytes] = deque()
        self._wake, self._waker = -1, -1
        self._started: Deferred[None] = Deferred()
        self._starting: Deferred[None] | None = self._started
        self._stopped: Deferred[None] = Deferred()
        self._thread = Thread(target=self._run, name="mail store listener", daemon=True)

    def swept(self) -> None:
        """See Companion."""

    def start(self) -> Deferred[None]:
        """See Companion."""
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC)
        self._running = True
        self._thread.start()
        return self._started

    def stop(self) -> Deferred[None]:
        """See Companion."""
        if not self._running:
            self._stopped.callback(None)
            return self._stopped
        self._running = False
        os.write(self._waker, b"x")
        return self._stopped

    def _run(self) -> None:
        self._listen_once(lambda connection: None)
        while self._running:
            select([self._wake], [], [], AGAIN_SECONDS)
            self._listen_once(self._tell_all)
        self._reactor.callFromThread(self._ended)

    def _listen_once(self, make_up: Callable[[psycopg.Connection[Any]], None]) -> None:
        """Listen until the end, or the loss of the connection; first, make up for what was not heard."""
        try:
            with self._open_connection() as connection:
                # psycopg takes them from the connection whenever it reads the answer to a statement.
                connection.pgconn.notify_handler = lambda notify: self._heard.append(notify.extra)
                connection.execute(f"LISTEN {CHANNEL}")
                self._begun()
                make_up(connection)
                self._listen(connection)
        except psycopg.Error as error:
            self._log.warn("changes of other nodes are not heard: {error}", error=error)
        self._begun()

    def _begun(self) -> None:
        started, self._starting = self._starting, None
        if started is not None:
            self._reactor.callFromThread(started.callback, None)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        """Until the end, or the loss of the connection."""
        server = connection.fileno()
        while self._running:
            self._hear_all(connection)
            readable, _, _ = select([server, self._wake], [], [])
            if server in readable:
                connection.pgconn.consume_input()

    def _hear_all(self, connection: psycopg.Connection[Any]) -> None:
        """What has come by now, also while statements were answered."""
        while True:
            if (notify := connection.pgconn.notifies()) is not None:
                self._heard.append(notify.extra)
            elif self._heard:
                self._hear(connection, self._heard.popleft())
            else:
                return

    def _hear(self, connection: psycopg.Connection[Any], payload: bytes) -> None:
        try:
            node, queue_grew, users_changed, changes = _told(payload)
        except ValueError:
            self._log.warn("a notification on channel {channel} is not from a node", channel=CHANNEL)
            return
        if node == self._node:
            return
        notices: list[ChangeNotice] = []
        for name, modseq, mailboxes, kinds in changes:
            if mailboxes is None:
                notices += _notices(connection, [name])
            else:
                notices.append(ChangeNotice(name, modseq, mailboxes, kinds))
        self._around.tell(notices, queue_grew, users_changed)

    def _tell_all(self, connection: psycopg.Connection[Any]) -> None:
        self._around.tell(_notices(connection, self._around.watched()), queue_grew=True, users_changed=True)

    def _ended(self) -> None:
        self._thread.join()
        os.close(self._wake)
        os.close(self._waker)
        self._stopped.callback(None)


def _told(payload: bytes) -> tuple[str, bool, bool, list[_Change]]:
    """
    What `shared` wrote: who tells, whether the queue grew, whether users changed, and changes of accounts.

    Raises: ValueError: it wrote nothing like it. Whoever may connect to the database may send to any channel.
    """
    try:
        node, queue_grew, users_changed, *changes = loads(payload)
        return (
            str(node),
            bool(queue_grew),
            bool(users_changed),
            [
                (
                    str(name),
                    int(modseq),
                    None if mailboxes is None else frozenset(map(int, mailboxes)),
                    ChangeKind(kinds),
                )
                for name, modseq, mailboxes, kinds in changes
            ],
        )
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError("no node wrote this") from error


def _notices(raw: psycopg.Connection[Any], accounts: Sequence[str]) -> list[ChangeNotice]:
    """For each of the accounts, that anything may have changed in it."""
    connection = PostgresConnection(raw)
    kinds = (
        ChangeKind.MESSAGES | ChangeKind.MAILBOXES | ChangeKind.SUBSCRIPTIONS | ChangeKind.METADATA | ChangeKind.RIGHTS
    )
    notices = []
    for name in accounts:
        row = connection.find("SELECT account, modseq FROM account WHERE name = ?", (name,))
        if row is None:
            notices.append(ChangeNotice(name, 0, frozenset(), ChangeKind.REMOVED))
        else:
            mailboxes = connection.every("SELECT mailbox FROM mailbox WHERE account = ?", (row[0],))
            notices.append(ChangeNotice(name, row[1], frozenset(number for (number,) in mailboxes), kinds))
    return notices

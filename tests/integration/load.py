"""Clients that submit message after message and keep account of what they were told, while a test breaks things."""

from __future__ import annotations

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .on_postgres import ANN, SharingNode, message
from .processes import eventually

_PAUSE_SECONDS = 0.05
"""After a refusal, before the next try."""


@dataclass
class Told:
    """What the clients know of every token."""

    begun: set[str] = field(default_factory=set)
    acknowledged: dict[str, float] = field(default_factory=dict)
    """By token: when."""
    refused: Counter[int] = field(default_factory=Counter)
    """By the code of the answer."""
    waited: list[float] = field(default_factory=list)
    """For each refusal, how long it was waited for, in seconds."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """
    Submits to `recipients` over some connections until stopped; after a refusal it tries with another message.

    A context manager. A connection that the node closes is an error of the test: the node lives throughout.
    """

    def __init__(self, node: SharingNode, recipients: Sequence[str], name: str, connections: int = 4) -> None:
        self.told = Told()
        self._node = node
        self._recipients = recipients
        self._running = True
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(f"{name}c{number}",)) for number in range(connections)
        ]

    def wait_for_more(self, number: int, seconds: float = 30.0) -> None:
        """Wait until so many more than now were acknowledged."""
        enough = len(self.told.acknowledged) + number
        eventually(lambda: self._errors or len(self.told.acknowledged) >= enough, seconds)
        assert not self._errors, self._errors

    def _run(self, name: str) -> None:
        try:
            with self._node.submission(timeout=90) as session:
                number = 0
                while self._running:
                    number += 1
                    if not self._submit(session, f"{name}-{number}"):
                        threading.Event().wait(_PAUSE_SECONDS)
        except Exception as error:  # told by the thread that waits
            self._errors.append(error)

    def _submit(self, session: smtplib.SMTP, token: str) -> bool:
        told = self.told
        with told.lock:
            told.begun.add(token)
        began = time.monotonic()
        code = self._answer(session, token)
        now = time.monotonic()
        with told.lock:
            if code == 250:
                told.acknowledged[token] = now
            else:
                told.refused[code] += 1
                told.waited.append(now - began)
        return code == 250

    def _answer(self, session: smtplib.SMTP, token: str) -> int:
        for code, _ in (session.mail(ANN), *(session.rcpt(recipient) for recipient in self._recipients)):
            if code != 250:
                session.rset()
                return code
        return session.data(message(token))[0]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        for thread in self._threads:
            thread.join(120)
        assert not self._errors, self._errors

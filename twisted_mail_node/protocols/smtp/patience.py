"""
How much of a session one client may use up: mistakes, commands, refused recipients, messages.

Counts, and says when it is enough; knows no time and writes nothing. Trusted networks and LMTP, whose clients are our
own, may send as many commands and messages as they like, and never wait.
"""

from __future__ import annotations

from ...mail.envelope import Service
from ...wire.smtp.commands import Event, Expn, Hello, Help, Noop, Rset, Vrfy, XClient
from .settings import SMTPSettings

# Commands that bring no message nearer.
_IDLE: frozenset[type[Event]] = frozenset((Expn, Hello, Help, Noop, Rset, Vrfy, XClient))

# RFC 5321 §4.5.3.2: a client waits for some minutes at least; none may take this for a lost connection.
LONGEST_DELAY_SECONDS = 30.0


class Patience:
    """
    What one client has used up so far.

    Attributes:
        is_exempt: the client is trusted.
        messages: transactions begun.
    """

    __slots__ = ("_commands", "_errors", "_idle_commands", "_is_lmtp", "_refused", "_settings", "is_exempt", "messages")

    def __init__(self, settings: SMTPSettings, *, is_exempt: bool) -> None:
        self._settings = settings
        self._is_lmtp = settings.service is Service.LMTP
        self.is_exempt = is_exempt or self._is_lmtp
        self.messages = 0
        self._forgive()

    def _forgive(self) -> None:
        self._errors = self._refused = self._commands = self._idle_commands = 0

    def command(self, kind: type[Event]) -> bool:
        """A command came. True while there may be more of them."""
        if self.is_exempt:
            return True
        self._commands += 1
        if kind in _IDLE:
            self._idle_commands += 1
        settings = self._settings
        return self._commands <= settings.max_commands and self._idle_commands <= settings.max_idle_commands

    def mistake(self) -> bool:
        """A mistake was made. True while there may be more of them."""
        self._errors += 1
        return self._errors < self._settings.max_errors

    def delay_seconds(self) -> float:
        """How long the answer to the mistake just made is held back: longer with each beyond the first ones."""
        beyond = self._errors - self._settings.errors_before_delay
        if self.is_exempt or beyond <= 0:
            return 0.0
        return min(beyond * self._settings.error_delay_seconds, LONGEST_DELAY_SECONDS)

    def refused_recipient(self) -> bool:
        """A recipient was refused for good. True while there may be more of them."""
        if self._is_lmtp:
            return True
        self._refused += 1
        return self._refused <= self._settings.max_refused_recipients

    def message(self) -> bool:
        """A message is to begin. True where it may."""
        if not self.is_exempt and self.messages >= self._settings.max_messages:
            return False
        self.messages += 1
        return True

    def accepted(self) -> None:
        """A message was accepted: what went wrong before it is forgotten."""
        self._forgive()

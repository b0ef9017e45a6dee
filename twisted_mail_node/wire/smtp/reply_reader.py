"""
Reads replies as a client gets them: octets in, `Reply` values out. Bounded, and clean whatever a server says.

It decides what is a reply; what one means is for `client`. Sources: RFC 5321 §4.2 (form), RFC 2034 §4 (enhanced
status codes in front of the text).
"""

from __future__ import annotations

from ...mail.status import EnhancedStatus, Reply
from ..buffer import LineBuffer
from ..errors import ProtocolViolation

# RFC 5321 §4.5.3.1.5 allows 512 octets; four times that is let through, since nothing is gained by refusing.
LINE_OCTETS = 2048
# No standard bounds the lines of a reply; the longest EHLO answers known have some thirty.
REPLY_LINES = 200
REPLY_OCTETS = 32 * 1024


class ReplyReader:
    """Takes replies out of what a server sends."""

    __slots__ = ("_buffer", "_lines", "_octets")

    def __init__(self) -> None:
        self._buffer = LineBuffer(LINE_OCTETS)
        self._lines: list[str] = []
        self._octets = 0

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._buffer.feed(data)

    def clear(self) -> int:
        """Forget what is waiting (at STARTTLS, RFC 3207 §4.2). Returns how many octets that were."""
        self._lines.clear()
        self._octets = 0
        return self._buffer.clear()

    def take_reply(self) -> Reply | None:
        """
        Take one reply, None until it is complete. Where the lines of a reply differ in code, the last one counts.

        Raises: ProtocolViolation: a line that is no part of a reply, or a reply beyond the limits.
        """
        while (line := self._buffer.take_line()) is not None:
            code = line[:3]
            if (
                len(code) < 3
                or not code.isdigit()
                or not b"2" <= code[:1] <= b"5"
                or line[3:4] not in (b" ", b"-", b"")
            ):
                raise ProtocolViolation("the server sent what is no reply")
            text = _printable(line[4:])
            if line[3:4] != b"-":
                lines, self._lines, self._octets = [*self._lines, text], [], 0
                return _reply(int(code), lines)
            self._octets += len(line)
            self._lines.append(text)
            if len(self._lines) >= REPLY_LINES or self._octets > REPLY_OCTETS:
                raise ProtocolViolation("the server sent a reply without end")
        return None


def _reply(code: int, lines: list[str]) -> Reply:
    word, _, rest = lines[0].partition(" ")
    # RFC 2034 §4: the class is the first digit of the code; anything else is just text.
    if len(word) < 5 or word[1] != "." or word[0] != str(code // 100) or word[0] == "3":
        return Reply(code, tuple(lines))
    try:
        status = EnhancedStatus.parse(word)
    except ValueError:
        return Reply(code, tuple(lines))
    if len(lines) == 1:
        return Reply(code, (rest,), status)
    front = word + " "
    return Reply(code, tuple(line.removeprefix(front) if line != word else "" for line in lines), status)


def _printable(text: bytes) -> str:
    """Text fit for logs and reports: what is not printable becomes "?"."""
    decoded = text.decode("utf-8", "replace")
    if decoded.isprintable():
        return decoded
    return "".join(c if c.isprintable() else "?" for c in decoded)

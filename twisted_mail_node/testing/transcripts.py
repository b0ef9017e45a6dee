r"""
Dialogues as text files: what a client sends, what the server must answer.

A line is a kind, a space and the rest; empty lines and lines that begin with `#` say nothing to the runner.
The first line names the source (`# IDLE tells of new mail. RFC 2177 §3`). A number after the letter names the
connection (`C2:`, `S2:`); connection 1 needs none. A connection is opened when it is first named.

    C: line          send this line, CRLF added
    C= text          send this text as it stands, with the escapes \r \n \t \\ \xNN
    C+ FILE          send the octets of a file beside the transcript
    S: line          the next line must be this one
    S~ regex         the next line must match; named groups are kept
    S> regex         pass over lines up to the first that matches, which is taken as by S~
    S* line          one of the lines of this block of S* and S*~ lines, in any order
    S*~ regex        likewise, as a regular expression
    S+ FILE          the next octets must be those of a file
    -- advance 300   let the clock go on by so many seconds
    -- connect 2     open connection 2 now
    -- tls 2         begin TLS on the connection
    -- drop 2        the client leaves without a word
    -- closed 2      the server must have ended the connection
    -- needs WORD    asked of the caller before anything else: what the server must offer

`${name}` in any line stands for what a named group has kept (in S~ and S>, as plain text).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

# How often the clock is nudged while nothing more is expected: work that waits for "the next turn" comes then.
NUDGES = 20
# And while something is: on a store with threads a nudge waits some milliseconds, and a busy machine takes many.
PATIENT_NUDGES = 2000


class Connection(Protocol):
    """One client's connection, as the runner sees it."""

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection."""

    def feed(self, data: bytes) -> None:
        """Give octets to the server."""

    def take(self) -> bytes:
        """What the server has sent since the last call."""

    def drop(self) -> None:
        """The client leaves."""

    def start_tls(self) -> None:
        """The client begins TLS."""


class Connect(Protocol):
    """Opens connections to the server under test, and owns its clock."""

    def __call__(self, name: str) -> Connection:
        """Open a connection; `name` is the number it has in the transcript."""

    def advance(self, seconds: float) -> None:
        """Let the clock go on."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a transcript; `where` is `file:line` for messages."""

    where: str
    kind: str
    connection: str
    text: str


_STEP = re.compile(r"(C|S)(\d*)(:|=|\+|~|>|\*~|\*)(?: (.*))?")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[rnt\\])")
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def steps_of(path: Path) -> Iterator[Step]:
    """
    The steps of a transcript.

    Raises: ValueError: a line is of no known kind; the message names file and line.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("-- "):
            word, _, rest = line[3:].partition(" ")
            if word not in ("advance", "connect", "tls", "drop", "closed", "needs"):
                raise ValueError(f"{where}: unknown direction {word!r}")
            by_number = word in ("connect", "tls", "drop", "closed")
            yield Step(where, word, (rest or "1") if by_number else "1", rest)
            continue
        found = _STEP.fullmatch(line)
        if not found or (found[1] == "C" and found[3] not in ":=+") or (found[1] == "S" and found[3] == "="):
            raise ValueError(f"{where}: not a step: {line!r}")
        yield Step(where, found[1] + found[3], found[2] or "1", found[4] or "")


def needs_of(path: Path) -> tuple[str, ...]:
    """What the transcript says it needs of the server."""
    return tuple(step.text for step in steps_of(path) if step.kind == "needs")


def run_transcript(path: Path, connect: Connect, piece: int) -> None:
    """
    Run a transcript: what the client sends is cut into pieces of `piece` octets.

    Raises: AssertionError: an answer differs, is missing, or is left over; the message names file and line.
    """
    _Run(path, connect, piece).run()


@dataclass(slots=True)
class _Run:
    path: Path
    connect: Connect
    piece: int
    kept: dict[str, str] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    heard: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> None:
        block: list[Step] = []
        for step in steps_of(self.path):
            if step.kind in ("S*", "S*~") and (not block or block[0].connection == step.connection):
                block.append(step)
                continue
            self._any_order(block)
            block = [step] if step.kind in ("S*", "S*~") else []
            if not block:
                self._step(step)
        self._any_order(block)
        for name in self.connections:
            self._listen(name)
            assert not self.heard[name], f"{self.path.name}: left over on connection {name}: {self.heard[name]!r}"

    def _step(self, step: Step) -> None:
        actions: dict[str, Callable[[Step], None]] = {
            "C:": lambda step: self._send(step, self._filled(step).encode() + b"\r\n"),
            "C=": lambda step: self._send(step, _unescaped(self._filled(step))),
            "C+": lambda step: self._send(step, (self.path.parent / step.text).read_bytes()),
            "S:": self._expect,
            "S~": self._expect,
            "S>": self._pass_over,
            "S+": self._expect_octets,
            "advance": lambda step: self.connect.advance(float(step.text)),
            "connect": lambda step: self._listen(step.connection),
            "tls": lambda step: self._connection(step).start_tls(),
            "drop": lambda step: self._connection(step).drop(),
            "closed": self._expect_closed,
            "needs": lambda step: None,
        }
        actions[step.kind](step)

    def _send(self, step: Step, data: bytes) -> None:
        connection = self._connection(step)
        for start in range(0, len(data), self.piece):
            connection.feed(data[start : start + self.piece])

    def _expect(self, step: Step) -> None:
        line = self._line(step)
        assert self._fits(step, line), f"{step.where}: wanted {self._filled(step)!r}, got {line!r}"

    def _pass_over(self, step: Step) -> None:
        while not self._fits(step, self._line(step)):
            pass

    def _any_order(self, block: list[Step]) -> None:
        lines = [self._line(step) for step in block]
        # Exact lines first, so that a loose expression does not take what another step names.
        for step in sorted(block, key=lambda step: step.kind == "S*~"):
            match = next((line for line in lines if self._fits(step, line)), None)
            assert match is not None, f"{step.where}: wanted {self._filled(step)!r} among {lines!r}"
            lines.remove(match)

    def _expect_octets(self, step: Step) -> None:
        wanted = (self.path.parent / step.text).read_bytes()
        self._listen(step.connection, lambda heard: len(heard) >= len(wanted))
        got = self.heard[step.connection][: len(wanted)]
        assert got == wanted, f"{step.where}: octets differ: wanted {wanted!r}, got {got!r}"
        self.heard[step.connection] = self.heard[step.connection][len(wanted) :]

    def _expect_closed(self, step: Step) -> None:
        connection = self._connection(step)
        for _ in range(PATIENT_NUDGES):
            if connection.closed:
                return
            self.connect.advance(0)
        raise AssertionError(f"{step.where}: the connection is still open")

    def _line(self, step: Step) -> str:
        self._listen(step.connection, lambda heard: b"\r\n" in heard)
        line, end, rest = self.heard[step.connection].partition(b"\r\n")
        assert end, f"{step.where}: wanted {self._filled(step)!r}, got only {line!r}"
        self.heard[step.connection] = rest
        return line.decode("utf-8", "backslashreplace")

    def _listen(self, name: str, enough: Callable[[bytes], bool] | None = None) -> None:
        """Hear a connection until that is enough; without such a condition, what comes in a few turns."""
        connection = self._open(name)
        for _ in range(PATIENT_NUDGES if enough else NUDGES):
            self.heard[name] += connection.take()
            if enough and enough(self.heard[name]):
                return
            self.connect.advance(0)
        self.heard[name] += connection.take()

    def _connection(self, step: Step) -> Connection:
        return self._open(step.connection)

    def _open(self, name: str) -> Connection:
        if name not in self.connections:
            self.connections[name] = self.connect(name)
            self.heard[name] = b""
        return self.connections[name]

    def _fits(self, step: Step, line: str) -> bool:
        wanted = self._filled(step)
        if step.kind in ("S:", "S*"):
            return line == wanted
        found = re.fullmatch(wanted, line)
        if found:
            self.kept.update({name: text for name, text in found.groupdict().items() if text is not None})
        return found is not None

    def _filled(self, step: Step) -> str:
        escape = re.escape if step.kind in ("S~", "S>", "S*~") else str

        def value(found: re.Match[str]) -> str:
            assert found[1] in self.kept, f"{step.where}: nothing was kept as {found[1]}"
            return escape(self.kept[found[1]])

        return re.sub(r"\$\{(\w+)\}", value, step.text)


def _unescaped(text: str) -> bytes:
    def octet(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code[1:], 16)]) if len(code) == 3 else _NAMED[code]

    return _ESCAPE.sub(octet, text.encode())

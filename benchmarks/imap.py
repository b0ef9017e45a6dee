"""
IMAP work in rows, or commands, a second: this node beside Dovecot (mdbox), on the same mail.

The client is a socket that writes a command and reads to its end without looking at what is between, so that it costs
little. The systems take turns, row by row, so that a machine whose speed drifts treats both alike; the ratio within a
turn is what counts. "First" rows are taken once, of mail that nobody has looked at since it came.

    python benchmarks/imap.py                        # 10,000 messages, three rounds
    python benchmarks/imap.py --messages 100000 --rounds 1
    python benchmarks/imap.py --only mailnode --rows search --json
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from corpus import RARE, Corpus
from processes import cpu_seconds, pss_kib
from rich.console import Console
from rich.progress import track
from rich.table import Table
from systems import DOMAIN, PASSWORD, Dovecot, Node

USER = "user"
FIELDS = "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)]"
SMALL = b"From: a@bench.test\r\nSubject: small\r\n\r\n" + b"what stands in it, again and again\r\n" * 110
System = Node | Dovecot


class Session:
    """A client that reads answers to their end and looks at no more than that."""

    def __init__(self, system: System) -> None:
        self._socket = socket.create_connection(("127.0.0.1", system.imap_port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(600)
        self._number = 0
        self._buffer = bytearray(1 << 20)
        self._read_to(re.compile(rb"\A\* (OK).*\r\n\Z"))

    def _read_to(self, end: re.Pattern[bytes], lines: int = 1) -> bytes:
        """Read up to an end that `end` knows by its last lines; what is in its first group."""
        tail = b""
        while True:
            got = self._socket.recv_into(self._buffer)
            if not got:
                raise SystemExit(f"the connection ended after {tail!r}")
            tail = (tail + self._buffer[max(got - 4096, 0) : got])[-4096:]
            if tail.endswith(b"\r\n"):
                start = len(tail)
                for _ in range(lines + 1):
                    start = max(tail.rfind(b"\r\n", 0, start), 0)
                found = end.search(tail, start)
                if found:
                    return found[1]

    def ask(self, command: str, literal: bytes | None = None) -> None:
        """Send a command, with a literal at its end."""
        self._number += 1
        octets = f"t{self._number} {command}".encode()
        self._socket.sendall(octets + (b"" if literal is None else b" {%d+}\r\n%b" % (len(literal), literal)) + b"\r\n")

    def hear(self) -> bytes:
        """Read the answer to its end: how it ended, OK, NO or BAD."""
        return self._read_to(re.compile(rb"(?:\A|\r\n)t%d (OK|NO|BAD)[^\r\n]*\r\n\Z" % self._number))

    def do(self, command: str, literal: bytes | None = None) -> None:
        """One command, which must be done."""
        self.ask(command, literal)
        if self.hear() != b"OK":
            raise SystemExit(f"not done: {command}")

    def make_anew(self, mailbox: str) -> None:
        """Make an empty mailbox, in place of one that may be there."""
        self.ask(f"DELETE {mailbox}")
        self.hear()
        self.do(f"CREATE {mailbox}")

    def log_in(self, mailbox: str | None = None) -> Session:
        """Log in, and select a mailbox."""
        self.do(f"LOGIN {USER}@{DOMAIN} {PASSWORD}")
        if mailbox:
            self.do(f"SELECT {mailbox}")
        return self

    def capabilities(self) -> set[str]:
        """What the system offers."""
        self.ask("CAPABILITY")
        told = self._read_to(re.compile(rb"\* CAPABILITY ([^\r\n]*)\r\nt%d OK[^\r\n]*\r\n\Z" % self._number), 2)
        return set(told.decode().split())

    def close(self) -> None:
        """Leave."""
        self.do("LOGOUT")
        self._socket.close()


class Timed:
    """What a piece of work has cost: wall clock, and the server's CPU time, in seconds."""

    def __init__(self, system: System) -> None:
        self._roots = system.roots()
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.cpu, self.wall = -cpu_seconds(self._roots), -time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += cpu_seconds(self._roots)


Work = Callable[[System, int, Timed], int]
"""Does some work in a mailbox of so many messages, the part to be measured within Timed; how much it was."""


class Row(NamedTuple):
    """One line of the table: `work` does so many of `unit`; only with systems that offer what it `needs`."""

    name: str
    unit: str
    work: Work
    needs: str = "IMAP4rev1"


def _rows(mailbox: str, *commands: str, before: str = "", anew: str = "") -> Work:
    """Commands on all messages, each counted by its rows; `before` is done unmeasured, `anew` a mailbox made empty."""

    def work(system: System, messages: int, timed: Timed) -> int:
        session = Session(system).log_in(mailbox)
        if anew:
            session.make_anew(anew)
        if before:
            session.do(before)
        with timed:
            for command in commands:
                session.do(command)
        session.close()
        return messages * len(commands)

    return work


def _questions(command: str, times: int = 1) -> Work:
    """A command on INBOX, some times over, counted as one each."""

    def work(system: System, messages: int, timed: Timed) -> int:
        _rows("INBOX", *[command] * times)(system, messages, timed)
        return times

    return work


def _logins(system: System, messages: int, timed: Timed) -> int:
    with timed:
        for _ in range(100):
            Session(system).log_in("INBOX").close()
    return 100


def _append(connections: int, each: int) -> Work:
    def work(system: System, messages: int, timed: Timed) -> int:
        sessions = [Session(system).log_in() for _ in range(connections)]
        sessions[0].make_anew("Appended")
        with timed:
            for _ in range(each):
                # All ask, then all wait, as so many clients at once would.
                for session in sessions:
                    session.ask("APPEND Appended", SMALL)
                for session in sessions:
                    session.hear()
        for session in sessions:
            session.close()
        return connections * each

    return work


def _store_each(system: System, messages: int, timed: Timed) -> int:
    session = Session(system).log_in("INBOX")
    count = min(messages, 1000)
    with timed:
        for number in range(1, count + 1):
            session.do(f"STORE {number} +FLAGS (\\Flagged)")
    session.do(f"STORE 1:{count} -FLAGS.SILENT (\\Flagged)")
    session.close()
    return count


FIRST = [
    Row("FETCH ENVELOPE, first", "rows", _rows("INBOX", "FETCH 1:* ENVELOPE")),
    Row("FETCH BODYSTRUCTURE, first", "rows", _rows("INBOX", "FETCH 1:* BODYSTRUCTURE")),
    Row("SEARCH BODY, first", "searches", _questions(f"SEARCH BODY {RARE}")),
    Row("SORT (SUBJECT), first", "sorts", _questions("SORT (SUBJECT) UTF-8 ALL"), "SORT"),
    Row("THREAD REFERENCES, first", "threads", _questions("THREAD REFERENCES UTF-8 ALL"), "THREAD=REFERENCES"),
]
ROWS = [
    Row("LOGIN + SELECT + LOGOUT", "sessions", _logins),
    Row("FETCH (UID FLAGS)", "rows", _rows("INBOX", "FETCH 1:* (UID FLAGS)")),
    Row("FETCH ENVELOPE", "rows", _rows("INBOX", "FETCH 1:* ENVELOPE")),
    Row("FETCH BODYSTRUCTURE", "rows", _rows("INBOX", "FETCH 1:* BODYSTRUCTURE")),
    Row("FETCH HEADER.FIELDS", "rows", _rows("INBOX", f"FETCH 1:* {FIELDS}")),
    Row("FETCH BODY.PEEK[]", "rows", _rows("INBOX", "FETCH 1:* BODY.PEEK[]")),
    Row("SEARCH UNSEEN", "searches", _questions("SEARCH UNSEEN", 5)),
    Row("SEARCH SINCE", "searches", _questions("SEARCH SINCE 1-Mar-2024", 5)),
    Row("SEARCH FROM", "searches", _questions("SEARCH FROM lumi", 5)),
    Row("SEARCH SUBJECT", "searches", _questions("SEARCH SUBJECT kanolu", 5)),
    Row("SEARCH BODY", "searches", _questions(f"SEARCH BODY {RARE}", 3)),
    Row("SEARCH TEXT", "searches", _questions(f"SEARCH TEXT {RARE}", 3)),
    Row("SEARCH BODY, a common word", "searches", _questions("SEARCH BODY kalo")),
    Row("SORT (DATE)", "sorts", _questions("SORT (DATE) UTF-8 ALL", 5), "SORT"),
    Row("SORT (SUBJECT)", "sorts", _questions("SORT (SUBJECT) UTF-8 ALL", 5), "SORT"),
    Row("THREAD REFERENCES", "threads", _questions("THREAD REFERENCES UTF-8 ALL", 3), "THREAD=REFERENCES"),
    Row("APPEND 4 KB, 1 connection", "messages", _append(1, 300)),
    Row("APPEND 4 KB, 10 connections", "messages", _append(10, 50)),
    Row("STORE, one by one", "commands", _store_each),
    Row(
        "STORE 1:*",
        "rows",
        _rows("INBOX", "STORE 1:* +FLAGS.SILENT (\\Answered)", "STORE 1:* -FLAGS.SILENT (\\Answered)"),
    ),
    Row("COPY 1:*", "rows", _rows("INBOX", "COPY 1:* Copies", anew="Copies")),
    Row("MOVE 1:*", "rows", _rows("Copies", "MOVE 1:* Moved", anew="Moved"), "MOVE"),
    Row("EXPUNGE", "rows", _rows("Moved", "EXPUNGE", before="STORE 1:* +FLAGS.SILENT (\\Deleted)")),
]


def fill(system: System, messages: int) -> float:
    """Append the corpus to INBOX; messages a second."""
    session = Session(system).log_in()
    began = time.perf_counter()
    for mail in track(Corpus(messages), f"filling {system.name}", messages, console=Console(stderr=True)):
        session.do(f'APPEND INBOX (\\Seen) "{mail.date:%d-%b-%Y %H:%M:%S +0000}"', mail.content)
    session.close()
    return messages / (time.perf_counter() - began)


Results = dict[str, list[tuple[float, float]]]
"""By system: units a second, and the server's CPU microseconds for each; none where it does not offer the work."""


def in_turns(
    systems: list[System], offered: dict[str, set[str]], rows: list[Row], rounds: int, messages: int
) -> Iterator[tuple[Row, Results]]:
    """Each row with its results."""
    for row in rows:
        results: Results = {system.name: [] for system in systems}
        for _ in range(rounds):
            for system in systems:
                if row.needs in offered[system.name]:
                    timed = Timed(system)
                    done = row.work(system, messages, timed)
                    results[system.name].append((done / timed.wall, timed.cpu / done * 1e6))
        print(f"{row.name}: {results}", file=sys.stderr)
        yield row, results


def table(measured: list[tuple[Row, Results]], systems: list[System]) -> Table:
    """The figures as a table."""
    shown = Table(
        "work", "unit", *[f"{system.name}/s" for system in systems], "ratio, median (min - max)", "CPU, µs each"
    )
    for row, results in measured:
        columns = [results[system.name] for system in systems]
        rates = [f"{statistics.median(rate for rate, _ in column):,.0f}" if column else "-" for column in columns]
        cpu = [f"{statistics.median(cpu for _, cpu in column):,.1f}" if column else "-" for column in columns]
        ratio = ""
        if len(columns) == 2 and all(columns):
            ratios = [ours / theirs for (ours, _), (theirs, _) in zip(*columns, strict=True)]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"
        shown.add_row(row.name, row.unit, *rates, ratio, " / ".join(cpu))
    return shown


def main() -> None:
    """Fill, measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="in the mailbox (default 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each system at each row (default 3)")
    parser.add_argument("--rows", default="", help="only rows whose name has this in it, in any case")
    parser.add_argument("--only", choices=["mailnode", "dovecot"], help="measure one system alone")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
    systems: list[System] = [
        kind(folder / kind.name, [USER]) for kind in (Node, Dovecot) if options.only in (None, kind.name)
    ]
    try:
        for system in systems:
            system.start()
        filled = {system.name: fill(system, options.messages) for system in systems}
        wanted = [[row for row in rows if options.rows.lower() in row.name.lower()] for rows in (FIRST, ROWS)]
        offered = {system.name: Session(system).log_in().capabilities() for system in systems}
        measured = [*in_turns(systems, offered, wanted[0], 1, options.messages)]
        measured += in_turns(systems, offered, wanted[1], options.rounds, options.messages)
        memory = {system.name: pss_kib(system.roots()) for system in systems}
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        rows = {row.name: {"unit": row.unit, **results} for row, results in measured}
        told = {"machine": platform.platform(), "options": vars(options), "filled": filled, "pss_kib": memory}
        print(json.dumps({**told, "rows": rows}, indent=2))
    else:
        Console(width=140).print(table(measured, systems))
        print(f"filled, messages/s: {filled}; memory at the end, KiB (PSS): {memory}")


if __name__ == "__main__":
    main()

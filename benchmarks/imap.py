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

    def _read_to(self, end: re.Pattern[bytes]) -> bytes:
        tail = b""
        while True:
            got = self._socket.recv_into(self._buffer)
            if not got:
                raise SystemExit(f"the connection ended after {tail!r}")
            tail = (tail + self._buffer[max(got - 4096, 0) : got])[-4096:]
            found = end.search(tail, max(tail.rfind(b"\r\n", 0, -2), 0)) if tail.endswith(b"\r\n") else None
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

    def close(self) -> None:
        """Leave."""
        self.do("LOGOUT")
        self._socket.close()


class Row(NamedTuple):
    """One line of the table: `work` gives how many of `unit` it did."""

    name: str
    unit: str
    work: Callable[[System, int], int]


def _in_inbox(*commands: str, each: bool = True) -> Callable[[System, int], int]:
    def work(system: System, messages: int) -> int:
        session = Session(system).log_in("INBOX")
        with Timed(system):
            for command in commands:
                session.do(command)
        session.close()
        return messages * len(commands) if each else len(commands)

    return work


class Timed:
    """What is to be measured: wall clock, and the server's CPU time."""

    wall = cpu = 0.0

    def __init__(self, system: System) -> None:
        self._roots = system.roots()

    def __enter__(self) -> None:
        self._cpu, self._wall = cpu_seconds(self._roots), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        Timed.wall = time.perf_counter() - self._wall
        Timed.cpu = cpu_seconds(self._roots) - self._cpu


def _logins(system: System, messages: int) -> int:
    with Timed(system):
        for _ in range(100):
            Session(system).log_in("INBOX").close()
    return 100


def _append(connections: int, each: int) -> Callable[[System, int], int]:
    def work(system: System, messages: int) -> int:
        sessions = [Session(system).log_in() for _ in range(connections)]
        sessions[0].make_anew("Appended")
        with Timed(system):
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


def _store_each(system: System, messages: int) -> int:
    session = Session(system).log_in("INBOX")
    count = min(messages, 1000)
    with Timed(system):
        for number in range(1, count + 1):
            session.do(f"STORE {number} +FLAGS (\\Flagged)")
    session.do(f"STORE 1:{count} -FLAGS.SILENT (\\Flagged)")
    session.close()
    return count


def _store_range(system: System, messages: int) -> int:
    session = Session(system).log_in("INBOX")
    with Timed(system):
        session.do("STORE 1:* +FLAGS.SILENT (\\Answered)")
        session.do("STORE 1:* -FLAGS.SILENT (\\Answered)")
    session.close()
    return 2 * messages


def _copy(system: System, messages: int) -> int:
    session = Session(system).log_in("INBOX")
    session.make_anew("Copies")
    with Timed(system):
        session.do("COPY 1:* Copies")
    session.close()
    return messages


def _move(system: System, messages: int) -> int:
    session = Session(system).log_in("Copies")
    session.make_anew("Moved")
    with Timed(system):
        session.do("MOVE 1:* Moved")
    session.close()
    return messages


def _expunge(system: System, messages: int) -> int:
    session = Session(system).log_in("Moved")
    session.do("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    with Timed(system):
        session.do("EXPUNGE")
    session.close()
    return messages


FIRST = [
    Row("FETCH ENVELOPE, first", "rows", _in_inbox("FETCH 1:* ENVELOPE")),
    Row("FETCH BODYSTRUCTURE, first", "rows", _in_inbox("FETCH 1:* BODYSTRUCTURE")),
    Row("SEARCH BODY, first", "searches", _in_inbox(f"SEARCH BODY {RARE}", each=False)),
    Row("SORT (SUBJECT), first", "sorts", _in_inbox("SORT (SUBJECT) UTF-8 ALL", each=False)),
    Row("THREAD REFERENCES, first", "threads", _in_inbox("THREAD REFERENCES UTF-8 ALL", each=False)),
]
ROWS = [
    Row("LOGIN + SELECT + LOGOUT", "sessions", _logins),
    Row("FETCH (UID FLAGS)", "rows", _in_inbox("FETCH 1:* (UID FLAGS)")),
    Row("FETCH ENVELOPE", "rows", _in_inbox("FETCH 1:* ENVELOPE")),
    Row("FETCH BODYSTRUCTURE", "rows", _in_inbox("FETCH 1:* BODYSTRUCTURE")),
    Row("FETCH HEADER.FIELDS", "rows", _in_inbox(f"FETCH 1:* {FIELDS}")),
    Row("FETCH BODY.PEEK[]", "rows", _in_inbox("FETCH 1:* BODY.PEEK[]")),
    Row("SEARCH UNSEEN", "searches", _in_inbox(*["SEARCH UNSEEN"] * 5, each=False)),
    Row("SEARCH SINCE", "searches", _in_inbox(*["SEARCH SINCE 1-Mar-2024"] * 5, each=False)),
    Row("SEARCH FROM", "searches", _in_inbox(*["SEARCH FROM lumi"] * 5, each=False)),
    Row("SEARCH SUBJECT", "searches", _in_inbox(*["SEARCH SUBJECT kanolu"] * 5, each=False)),
    Row("SEARCH BODY", "searches", _in_inbox(*[f"SEARCH BODY {RARE}"] * 3, each=False)),
    Row("SEARCH TEXT", "searches", _in_inbox(*[f"SEARCH TEXT {RARE}"] * 3, each=False)),
    Row("SEARCH BODY, a common word", "searches", _in_inbox("SEARCH BODY kalo", each=False)),
    Row("SORT (DATE)", "sorts", _in_inbox(*["SORT (DATE) UTF-8 ALL"] * 5, each=False)),
    Row("SORT (SUBJECT)", "sorts", _in_inbox(*["SORT (SUBJECT) UTF-8 ALL"] * 5, each=False)),
    Row("THREAD REFERENCES", "threads", _in_inbox(*["THREAD REFERENCES UTF-8 ALL"] * 3, each=False)),
    Row("APPEND 4 KB, 1 connection", "messages", _append(1, 300)),
    Row("APPEND 4 KB, 10 connections", "messages", _append(10, 50)),
    Row("STORE, one by one", "commands", _store_each),
    Row("STORE 1:*", "rows", _store_range),
    Row("COPY 1:*", "rows", _copy),
    Row("MOVE 1:*", "rows", _move),
    Row("EXPUNGE", "rows", _expunge),
]


def fill(system: System, messages: int) -> float:
    """Append the corpus to INBOX; messages a second."""
    session = Session(system).log_in()
    began = time.perf_counter()
    for mail in track(Corpus(messages), f"filling {system.name}", messages, console=Console(stderr=True)):
        session.do(f'APPEND INBOX (\\Seen) "{mail.date:%d-%b-%Y %H:%M:%S +0000}"', mail.content)
    session.close()
    return messages / (time.perf_counter() - began)


def in_turns(systems: list[System], rows: list[Row], rounds: int, messages: int) -> Iterator[tuple[Row, dict]]:
    """Each row with its results by system: lists of units a second, and of the server's CPU microseconds for each."""
    for row in rows:
        results: dict[str, list[tuple[float, float]]] = {system.name: [] for system in systems}
        for _ in range(rounds):
            for system in systems:
                done = row.work(system, messages)
                results[system.name].append((done / Timed.wall, Timed.cpu / done * 1e6))
        print(f"{row.name}: {results}", file=sys.stderr)
        yield row, results


def table(measured: list[tuple[Row, dict]], systems: list[System]) -> Table:
    """The figures as a table."""
    shown = Table(
        "work", "unit", *[f"{system.name}/s" for system in systems], "ratio, median (min - max)", "CPU, µs each"
    )
    for row, results in measured:
        rates = [f"{statistics.median(rate for rate, _ in results[system.name]):,.0f}" for system in systems]
        ratio = ""
        if len(systems) == 2:
            ours, theirs = ([rate for rate, _ in results[system.name]] for system in systems)
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"
        cpu = " / ".join(f"{statistics.median(cpu for _, cpu in results[system.name]):,.1f}" for system in systems)
        shown.add_row(row.name, row.unit, *rates, ratio, cpu)
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
        measured = [*in_turns(systems, wanted[0], 1, options.messages)]
        measured += in_turns(systems, wanted[1], options.rounds, options.messages)
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

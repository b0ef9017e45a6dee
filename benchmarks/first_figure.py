"""
Messages per second from SMTP into the mailbox, durable: this node beside Postfix with Dovecot.

Kept connections, messages of one size, spread over users. The load comes from Postfix's smtp-source (C). A round
ends when IMAP STATUS shows every message. The systems take turns, A B A B, so that a machine whose speed drifts
treats both alike; the ratio within a round is what counts.

    python benchmarks/first_figure.py                  # five rounds of 20,000 messages of 4 KB, 100 connections
    python benchmarks/first_figure.py --json
"""

from __future__ import annotations

import argparse
import imaplib
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import cpu_seconds, pss_kib
from systems import DOMAIN, PASSWORD, Node, PostfixDovecot


def messages_in(system: Node | PostfixDovecot, sessions: list[imaplib.IMAP4]) -> int:
    """How many messages the users' INBOXes hold, by IMAP STATUS."""
    total = 0
    for session in sessions:
        answer = session.status("INBOX", "(MESSAGES)")[1][0]
        total += int(answer.rpartition(b"MESSAGES ")[2].rstrip(b")"))
    return total


def measure(system: Node | PostfixDovecot, options: argparse.Namespace) -> dict[str, float]:
    """One round: send, wait until all is there, tell what it took."""
    sessions = []
    for user in system.users:
        session = imaplib.IMAP4("127.0.0.1", system.imap_port)
        session.login(f"{user}@{DOMAIN}", PASSWORD)
        sessions.append(session)
    before = messages_in(system, sessions)
    cpu = cpu_seconds(system.roots())
    share = options.messages // len(system.users)
    each = max(options.connections // len(system.users), 1)
    start = time.monotonic()
    load = f"smtp-source -d -4 -s {each} -m {share} -l {options.size} -f sender@{DOMAIN}"
    sources = [
        subprocess.Popen([*load.split(), "-t", f"{user}@{DOMAIN}", f"127.0.0.1:{system.smtp_port}"])
        for user in system.users
    ]
    for source in sources:
        if source.wait(options.timeout) != 0:
            raise SystemExit(f"smtp-source failed against {system.name}")
    accepted = time.monotonic()
    wanted = before + share * len(system.users)
    while messages_in(system, sessions) < wanted:
        if time.monotonic() - start > options.timeout:
            raise SystemExit(f"{system.name} did not deliver everything in {options.timeout} s")
        time.sleep(0.02)
    delivered = time.monotonic()
    used = cpu_seconds(system.roots()) - cpu
    for session in sessions:
        session.logout()
    count = share * len(system.users)
    return {
        "accepted_per_second": count / (accepted - start),
        "delivered_per_second": count / (delivered - start),
        "cpu_microseconds_per_message": used / count * 1e6,
        "pss_kib": pss_kib(system.roots()),
    }


def main() -> None:
    """Run the rounds and print them as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000, help="messages a round (default 20000)")
    parser.add_argument("--size", type=int, default=4096, help="octets of each message's body (default 4096)")
    parser.add_argument("--connections", type=int, default=100, help="connections kept open (default 100)")
    parser.add_argument("--users", type=int, default=10, help="mailboxes to spread over (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each system (default 5)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds a round may take (default 600)")
    parser.add_argument("--only", choices=["mailnode", "postfix+dovecot"], help="measure one system alone")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()

    users = [f"user{number}" for number in range(options.users)]
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
    systems = [
        kind(folder / kind.__name__, users) for kind in (Node, PostfixDovecot) if options.only in (None, kind.name)
    ]
    rounds: dict[str, list[dict[str, float]]] = {system.name: [] for system in systems}
    try:
        for system in systems:
            system.start()
        for number in range(options.rounds + 1):
            for system in systems:
                result = measure(system, options)
                if number:  # the first is for warming up
                    rounds[system.name].append(result)
                    print(f"round {number} {system.name}: {result}", file=sys.stderr)
    finally:
        for system in systems:
            system.stop()
        shutil.rmtree(folder, ignore_errors=True)
    report(rounds, options)


def report(rounds: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    """Print medians with minimum and maximum, and the ratio of each round."""
    if options.json:
        print(json.dumps({"machine": platform.platform(), "options": vars(options), "rounds": rounds}, indent=2))
        return
    print(f"{options.messages} messages of {options.size} octets, {options.connections} connections, durable\n")
    print("| figure | " + " | ".join(rounds) + " | ratio by round, median (min - max) |")
    print("|---|" + "---|" * (len(rounds) + 1))
    for figure in next(iter(rounds.values()))[0]:
        cells = []
        for results in rounds.values():
            values = [result[figure] for result in results]
            cells.append(f"{statistics.median(values):,.0f} ({min(values):,.0f} - {max(values):,.0f})")
        ratio = "-"
        if len(rounds) == 2:
            ours, theirs = rounds.values()
            ratios = [a[figure] / b[figure] for a, b in zip(ours, theirs, strict=True)]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"
        print(f"| {figure} | " + " | ".join(cells) + f" | {ratio} |")


if __name__ == "__main__":
    main()

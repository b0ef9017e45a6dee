"""
How long a search takes over one large mailbox, and what it costs to keep what makes it fast.

The corpus of `corpus.py` is appended by IMAP; searches are timed before the filler has seen to it, and after. Times are
those that the client waits. What the filler costs is the server's CPU time from the last APPEND until all is kept.

    python benchmarks/search.py                        # 10,000 messages
    python benchmarks/search.py --messages 100000
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from corpus import RARE
from imap import USER, Session, fill
from processes import cpu_seconds
from systems import Node

SEARCHES = {
    "BODY, a rare word": f"BODY {RARE}",
    "TEXT, a rare word": f"TEXT {RARE}",
    "BODY, a word that nobody wrote": "BODY xylophonist",
    "FROM": "FROM lumi",
    "SUBJECT": "SUBJECT kanolu",
    "SINCE": "SINCE 1-Mar-2024",
    "BODY, a common word": "BODY kalo",
    "BODY, two Japanese characters": "CHARSET UTF-8 BODY",
    "BODY, one character": "BODY q",
}


def read(node: Node, question: str) -> int:
    """A number out of the node's database, while it runs."""
    connection = sqlite3.connect(f"file:{node.folder / 'state' / 'mail.sqlite'}?mode=ro", uri=True)
    try:
        return connection.execute(question).fetchone()[0] or 0
    finally:
        connection.close()


def times(node: Node, rounds: int) -> dict[str, float]:
    """Milliseconds that a client waits for each search."""
    session = Session(node).log_in("INBOX")
    found = {}
    for name, search in SEARCHES.items():
        taken = []
        for _ in range(rounds):
            began = time.perf_counter()
            session.do(f"SEARCH {search}", "東大".encode() if "CHARSET" in search else None)
            taken.append((time.perf_counter() - began) * 1e3)
        found[name] = statistics.median(taken)
    session.close()
    return found


def wait_until_kept(node: Node, messages: int) -> float:
    """Until all texts are kept and all full blocks are signed. Returns the server's CPU seconds."""
    cpu = cpu_seconds(node.roots())
    blocks = (messages + 1) // 256
    while read(node, "SELECT max(sealed) FROM search_progress") < blocks:
        time.sleep(0.5)
    return cpu_seconds(node.roots()) - cpu


def main() -> None:
    """Fill, search, wait, search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
    node = Node(folder / "node", [USER])
    try:
        node.start()
        print(f"appended: {fill(node, options.messages):,.0f} messages/s")
        kept = read(node, "SELECT count(*) FROM search_text")
        before = times(node, 1)
        began = time.perf_counter()
        cpu = wait_until_kept(node, options.messages)
        rest = max(options.messages - kept, 1)
        print(f"kept while appending: {kept}; CPU for the rest: {cpu / rest * 1e6:,.0f} µs a message, ", end="")
        print(f"in {time.perf_counter() - began:,.0f} s")
        octets = read(node, "SELECT sum(size) FROM body")
        text = read(node, "SELECT sum(length(head) + length(coalesce(content, ''))) FROM search_text")
        bits = read(node, "SELECT sum(length(bits)) FROM search_block")
        print(f"mail {octets >> 20} MiB, kept text {text / octets:.1%} of it, signatures {bits / octets:.1%}")
        after = times(node, options.rounds)
        for name in SEARCHES:
            print(f"{name:32} {before[name]:10,.1f} ms before it is kept {after[name]:10,.1f} ms after")
    finally:
        node.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

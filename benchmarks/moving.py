"""
A mailbox of 200,000 messages in and out: rate and peak memory; killed twice and gone on with; out, in and the same.

Sizes are as in life: many small messages and a few large ones, 6 KB in the mean. What is in the store afterwards is
compared by exporting it: two stores with the same mail, flags, dates, UIDs and ids give the same octets.

    python benchmarks/moving.py
    python benchmarks/moving.py --messages 20000 --folder /var/tmp/moving --json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import apsw

ACCOUNT = "joe@a.test"
MAILNODE = [sys.executable, "-c", "from twisted_mail_node.cli import main; main()"]
TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile="]
CONFIG = """
state_dir = "state"
domain = [{ name = "a.test" }]
auth = { hash_memory = "8 KiB", hash_passes = 1 }
listen = [{ service = "imap", endpoint = "tcp:0:interface=127.0.0.1", tls = "none" }]
"""
UIDVALIDITY = 1_234_567


def make_maildir(folder: Path, count: int) -> int:
    """A Maildir as Dovecot keeps it. Gives its octets."""
    chance = random.Random(1)
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    text = "".join(chance.choices("etaoin shrdlu\n", k=1_000_000)).encode()
    octets = 0
    with open(folder / "dovecot-uidlist", "w") as uids:
        uids.write(f"3 V{UIDVALIDITY} N{2 * count + 1} Gx\n")
        for number in range(count):
            base = f"{1_500_000_000 + number}.M{number:06}P4711.mail.example.test"
            flags = "".join(letter for letter in "FRSab" if chance.random() < 0.4)
            size = min(int(chance.lognormvariate(7.9, 1.1)), 800_000)
            begin = chance.randrange(len(text) - size)
            header = (
                f"Received: from far.example by mail.example.test; Mon, 1 Jan 2024 00:00:00 +0000\n"
                f"From: Ann {number} <ann{number}@far.example>\nTo: Joe <{ACCOUNT}>\nSubject: Message {number}\n"
                f"Message-ID: <{number}@far.example>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\n"
            )
            path = folder / "cur" / f"{base}:2,{flags}"
            path.write_bytes(header.encode() + text[begin : begin + size])
            os.utime(path, (1_500_000_000 + number,) * 2)
            octets += len(header) + size
            uids.write(f"{2 * number + 1} :{base}\n")
    (folder / "dovecot-keywords").write_text("0 work\n1 $Label1\n")
    return octets


class Store:
    """The store of one configuration, and what commands on it cost."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "mailnode.toml").write_text(CONFIG)
        self.run("user", "add", ACCOUNT, "--generate")

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*MAILNODE, *map(str, arguments), "--json"], cwd=self.folder, stdout=subprocess.PIPE, text=False
        )

    def run(self, *arguments: str | Path) -> dict:
        """Run a command to its end. Gives its answer, with its wall time and peak memory."""
        begun = time.monotonic()
        process = self.start(*arguments)
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"mailnode {arguments} failed: {said!r}")
        cost = {"wall_seconds": time.monotonic() - begun, "peak_mib": used.ru_maxrss / 1024}
        return json.loads(said) | cost

    def entries(self) -> int:
        """How many messages it has, while another process may be writing."""
        try:
            connection = apsw.Connection(str(self.folder / "state" / "mail.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
            with connection:
                return connection.execute("SELECT sum(messages) FROM mailbox").fetchone()[0] or 0
        except apsw.Error:
            return 0

    def killed(self, beyond: int, *arguments: str | Path) -> int:
        """Run a command and kill it by SIGKILL when so many messages are there. Gives how many there are."""
        process = self.start(*arguments)
        while self.entries() < beyond:
            if process.poll() is not None:
                raise SystemExit("it ended before it could be killed")
            time.sleep(0.01)
        process.kill()
        process.wait()
        return self.entries()

    def digest(self, name: str) -> str:
        """What all of its mail is, in one number."""
        folder = self.folder / name
        self.run("export", "mbox", folder, ACCOUNT)
        hashed = hashlib.sha256()
        for path in sorted(folder.rglob("*.mbox")):
            hashed.update(path.name.encode())
            with open(path, "rb") as file:
                while piece := file.read(1 << 20):
                    hashed.update(piece)
        shutil.rmtree(folder)
        return hashed.hexdigest()


def measure(folder: Path, count: int) -> dict:
    """All of it, one after the other."""
    found: dict = {"messages": count}
    source = folder / "Maildir"
    found["octets"] = make_maildir(source, count)
    whole = Store(folder / "whole")
    found["import maildir"] = whole.run("import", "maildir", ACCOUNT, source)
    found["import again, all known"] = whole.run("import", "maildir", ACCOUNT, source)
    digest = whole.digest("mail")

    cut = Store(folder / "cut")
    kills = [cut.killed(count * share // 10, "import", "maildir", ACCOUNT, source) for share in (3, 6)]
    rest = cut.run("import", "maildir", ACCOUNT, source)
    found["killed at"] = kills
    found["import, the rest"] = rest
    found["none lost, none twice"] = (
        rest["imported"] + rest["known"] == cut.entries() == count and cut.digest("mail") == digest
    )
    shutil.rmtree(cut.folder)

    for form in ("maildir", "mbox"):
        exported = folder / f"exported-{form}"
        found[f"export {form}"] = whole.run("export", form, exported, ACCOUNT)
        back = Store(folder / f"back-{form}")
        found[f"import of the exported {form}"] = back.run("import", form, ACCOUNT, exported)
        found[f"the same after {form}"] = back.digest("mail") == digest
        shutil.rmtree(exported)
        shutil.rmtree(back.folder)

    found["import into a running node"] = into_running(folder / "running", source)
    shutil.rmtree(source)
    other = folder / "other.toml"
    other.write_text(CONFIG.replace('"state"', '"other"'))
    found["copy"] = whole.run("copy", "--to", other)
    return found


def into_running(folder: Path, source: Path) -> dict:
    """The same import, through the control socket of a node, with the node's own peak memory."""
    store = Store(folder)
    node = subprocess.Popen(
        [*TWISTD, "mailnode", "--config", "mailnode.toml"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    while not (folder / "state" / "listening.json").exists():
        if node.poll() is not None:
            raise SystemExit("the node did not start")
        time.sleep(0.05)
    found = store.run("import", "maildir", ACCOUNT, source)
    status = Path(f"/proc/{node.pid}/status").read_text()
    found["node_peak_mib"] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    node.terminate()
    node.wait()
    shutil.rmtree(folder)
    return found


def shown(found: dict) -> Sequence[str]:
    """The figures as lines."""
    lines = [f"{found['messages']:,} messages, {found['octets'] / 2**20:,.0f} MiB, {platform.machine()}"]
    for name, value in found.items():
        if isinstance(value, dict):
            done = value.get("imported") or value.get("exported") or value.get("messages") or value.get("known", 0)
            rate = done / value["wall_seconds"]
            line = f"{name}: {value['wall_seconds']:.1f} s, {rate:,.0f} messages/s, peak {value['peak_mib']:.0f} MiB"
            if "node_peak_mib" in value:
                line += f", of the node {value['node_peak_mib']:.0f} MiB"
            lines.append(line)
        elif name not in ("messages", "octets"):
            lines.append(f"{name}: {value}")
    return lines


def main() -> None:
    """Measure, and print as lines or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailnode-moving-", dir=options.folder) as folder:
        found = measure(Path(folder), options.messages)
    print(json.dumps(found, indent=1) if options.json else "\n".join(shown(found)))
    if not all(value is not False for value in found.values()):
        raise SystemExit("something was lost, or came twice")


if __name__ == "__main__":
    main()

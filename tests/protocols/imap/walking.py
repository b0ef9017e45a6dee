"""
A client that knows of its mailbox what responses have told it, and nothing else; and a plain model of the mailbox.

What a client counts as the highest modseq follows RFC 7162 §6: with that, and with what it remembers, it comes back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.uid_set import UIDSet

_ROW = re.compile(rb"\* (\d+) (UID)?FETCH \((.*)")
_COUNT = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT)")
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([0-9:,]+)")
_HIGHEST = re.compile(rb"\[HIGHESTMODSEQ (\d+)\]")
_MODIFIED = re.compile(rb"\[MODIFIED ([0-9:,]+)\]")
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")


def numbers(wire):
    """The numbers of a set as it is written."""
    runs = [run.partition(b":") for run in wire.split(b",")]
    return [number for first, _, last in runs for number in range(int(first), int(last or first) + 1)]


def flags_in(wire):
    """Flags without \\Recent, which is no flag of the message."""
    return frozenset(wire.decode().split()) - {"\\Recent"}


class Client:
    """One client. `enables` is what it enables; it has `UIDONLY` and no numbers, or numbers that it counts along."""

    def __init__(self, server, *enables):
        self.server = server
        self.enables = enables
        self.by_uid = "UIDONLY" in enables
        self.knows_modseqs = "CONDSTORE" in enables or "QRESYNC" in enables
        self.resyncs = "QRESYNC" in enables
        self.uids = []  # None where a message came that it has not asked about
        self.flags = {}
        self.modseqs = {}
        self.validity = 0
        self.highest = 0
        self.shown = 0  # the highest MODSEQ since the last tagged response
        self.idling = False
        self.line = None
        self._heard_idle = b""

    # -- coming and going ---------------------------------------------------------------------------------------

    def connect(self, resync=""):
        """Log in, enable and select; `resync` is the QRESYNC parameter."""
        self.line = self.server.logged_in()
        self.idling = False
        if self.enables:
            self.line.ask("ENABLE " + " ".join(self.enables))
        if not resync:
            self.uids, self.flags, self.modseqs = [], {}, {}
        status, told = self.line.try_("SELECT INBOX" + resync)
        self.validity = int(_VALIDITY.search(told)[1])
        self._resynchronised(told) if resync else self._hear(told, may_expunge=False)
        self._ended(status)
        self.learn()

    def reconnect(self, matches=False, known=False):
        """Come back with what is remembered."""
        if not (self.resyncs and self.highest):
            return self.connect()
        parts = [f"{self.validity} {self.highest}"]
        if known and self.uids:
            parts.append(UIDSet.of(self.uids).wire.decode())
        if matches and self.uids and not self.by_uid:
            last = len(self.uids)
            places = sorted({1, (last + 1) // 2, last})
            uids = UIDSet.of([self.uids[place - 1] for place in places])
            parts.append(f"({UIDSet.of(places).wire.decode()} {uids.wire.decode()})")
        return self.connect(f" (QRESYNC ({' '.join(parts)}))")

    def leave(self):
        """The connection breaks."""
        self.line.drop()
        self.line = None

    def _resynchronised(self, told):
        rows, exists = [], 0
        for line in told.split(b"\r\n"):
            if match := _VANISHED.match(line):
                assert match[1], line
                assert not rows, "expunges come before flags"
                for uid in numbers(match[2]):
                    if uid in self.uids:
                        self.uids.remove(uid)
                        self._forget(uid)
            elif match := _ROW.match(line):
                rows.append(match)
            elif (match := _COUNT.match(line)) and match[2] == b"EXISTS":
                exists = int(match[1])
            elif match := _HIGHEST.search(line):
                self.highest = int(match[1])
        assert len(self.uids) <= exists, told
        self.uids += [None] * (exists - len(self.uids))
        for match in rows:
            self._row(match)

    # -- commands ------------------------------------------------------------------------------------------------

    def do(self, command, may_expunge, literal=None):
        """One command: how it ended, and what was told."""
        status, told = self.line.try_(command, literal)
        self._hear(told, may_expunge)
        self._ended(status)
        self.learn()
        return status, told

    def learn(self):
        """Ask about what came."""
        while None in self.uids:
            # Behind what came, others may have been told of already; and without numbers nobody knows where it stands.
            first = self.uids.index(None)
            after = self.uids[first - 1] if first and not self.by_uid else 0
            items = "(FLAGS MODSEQ)" if self.knows_modseqs else "(FLAGS)"
            status, told = self.line.try_(f"UID FETCH {after + 1}:* {items}")
            assert told, "what EXISTS told of is there, or it is told that it went"
            self._hear(told, may_expunge=True)
            self._ended(status)

    def idle(self):
        """Begin to idle."""
        self._heard_idle = self.line.say(b"i IDLE\r\n")
        self.idling = True

    def done(self):
        """Hear what came, and idle no more."""
        heard = self._heard_idle + self.line.say(b"DONE\r\n")
        while not re.search(rb"(^|\n)i OK [^\n]*\n\Z", heard):
            self.server.advance(0)
            heard += self.line.take()
        self.idling = False
        told, _, status = heard.rpartition(b"i OK")
        self._hear(told, may_expunge=True)
        self._ended(status)
        self.learn()

    def stored_silently(self, uids, change):
        """The client takes for done what it has asked for in silence."""
        for uid in uids:
            if uid in self.flags:
                self.flags[uid] = change(self.flags[uid])

    # -- what is told ----------------------------------------------------------------------------------------------

    def _hear(self, told, may_expunge):
        for line in told.split(b"\r\n"):
            if match := _COUNT.match(line):
                self._count(int(match[1]), match[2], may_expunge)
            elif match := _VANISHED.match(line):
                assert self.resyncs or self.by_uid, line
                if not match[1]:
                    assert may_expunge, line
                    for uid in numbers(match[2]):
                        # Only what the client was told of vanishes, though it may not have asked for its UID.
                        self.uids.remove(uid if uid in self.uids else None)
                        self._forget(uid)
            elif match := _ROW.match(line):
                self._row(match)
            elif match := _HIGHEST.search(line):
                self.highest, self.shown = int(match[1]), 0

    def _count(self, number, word, may_expunge):
        if word == b"EXISTS":
            assert number >= len(self.uids)
            self.uids += [None] * (number - len(self.uids))
        elif word == b"EXPUNGE":
            assert may_expunge
            assert not self.by_uid
            assert not self.resyncs
            self._forget(self.uids.pop(number - 1))

    def _row(self, match):
        number, items = int(match[1]), match[3]
        assert (match[2] == b"UID") == self.by_uid, match[0]
        found = re.match(rb"UID (\d+)", items)
        if self.by_uid:
            uid = number
            if uid not in self.uids:
                self.uids.remove(None)
                self.uids = [*sorted([uid, *filter(None, self.uids)]), *(each for each in self.uids if each is None)]
        else:
            uid = int(found[1]) if found else self.uids[number - 1]
            assert self.uids[number - 1] in (None, uid), (match[0], self.uids)
            self.uids[number - 1] = uid
        if uid is not None:
            self._note(uid, items)

    def _note(self, uid, items):
        if found := re.search(rb"FLAGS \(([^)]*)\)", items):
            self.flags[uid] = flags_in(found[1])
        if found := re.search(rb"MODSEQ \((\d+)\)", items):
            assert self.knows_modseqs, items
            self.modseqs[uid] = int(found[1])
            self.shown = max(self.shown, int(found[1]))

    def _forget(self, uid):
        self.flags.pop(uid, None)
        self.modseqs.pop(uid, None)

    def _ended(self, status):
        """A tagged response: what the client takes for the highest modseq (RFC 7162 §6)."""
        if match := _HIGHEST.search(status):
            self.highest = int(match[1])
        elif self.highest:
            self.highest = max(self.highest, self.shown)
        self.shown = 0


def modified(status):
    """The messages that a conditional STORE left alone, as it names them."""
    match = _MODIFIED.search(status)
    return numbers(match[1]) if match else []


@dataclass
class Model:
    """The mailbox as it has to be: flags and modseq of each message, and the UIDs given so far."""

    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    modseqs: dict[int, int] = field(default_factory=dict)
    next_uid: int = 1
    highest: int = 0

    def came(self, flags):
        """Messages came, with these flags each."""
        for given in flags:
            self.flags[self.next_uid] = frozenset(given)
            self.next_uid += 1

    def store(self, uids, change, unchanged_since=None):
        """Flags change; returns those that fail the condition."""
        failed = [uid for uid in uids if unchanged_since is not None and self.modseqs.get(uid, 0) > unchanged_since]
        for uid in uids:
            if uid in self.flags and uid not in failed:
                self.flags[uid] = change(self.flags[uid])
        return [uid for uid in failed if uid in self.flags]

    def expunge(self, uids=None):
        """What has \\Deleted goes, of these or of all."""
        for uid in [*self.flags] if uids is None else uids:
            if "\\Deleted" in self.flags.get(uid, ()):
                del self.flags[uid]

    def is_like(self, server):
        """Compare with what the store has; a modseq has to be new exactly where something changed."""
        mailbox = server.mailbox()
        uids = server.result_of(mailbox.uids())
        columns = server.result_of(mailbox.fetch(uids, FetchItem.FLAGS | FetchItem.MODSEQ))
        now = {
            uid: (flags_in(flags.wire), modseq)
            for uid, flags, modseq in zip(columns.uids, columns.flags, columns.modseqs, strict=True)
        }
        assert {uid: flags for uid, (flags, _) in now.items()} == self.flags
        status = server.result_of(mailbox.status())
        assert status.uid_next == self.next_uid
        assert status.highest_modseq >= max([self.highest, *(modseq for _, modseq in now.values())])
        self.modseqs, self.highest = {uid: modseq for uid, (_, modseq) in now.items()}, status.highest_modseq

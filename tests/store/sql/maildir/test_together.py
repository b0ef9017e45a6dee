"""Another program and the store work on one folder at the same time, each as fast as it can: in the end both agree."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from contextlib import suppress

import pytest

from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.maildir_name import flags_in, parted
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.testing.samples import body, message, place, transaction

from .conftest import ANN

STEPS = 250


class Busy(threading.Thread):
    """A program that delivers, changes flags and removes, and counts what it delivered and removed."""

    def __init__(self, others, seed):
        super().__init__()
        self.delivered, self.removed = Counter(), Counter()
        self._others = others
        self._chance = random.Random(seed)

    def run(self):
        for number in range(STEPS):
            self._chance.choice([self._deliver, self._reflag, self._reflag, self._remove])(number)

    def _deliver(self, number):
        self._others.deliver(message(subject=f"theirs-{number}"), name=f"1600000000.{number}.theirs")
        self.delivered[f"theirs-{number}"] += 1

    def _some(self):
        return self._chance.choice(self._others.names() or ["cur/none"])

    def _reflag(self, number):
        name = self._some()
        base = parted(os.path.basename(name).encode()).base.decode()
        flags = "".join(sorted(self._chance.sample("DFRS", self._chance.randint(0, 3))))
        with suppress(FileNotFoundError):
            (self._others.folder / name).rename(self._others.folder / "cur" / f"{base}:2,{flags}")

    def _remove(self, number):
        path = self._others.folder / self._some()
        with suppress(FileNotFoundError):
            subject = subject_of(path.read_bytes())
            path.unlink()
            self.removed[subject] += 1


def subject_of(content):
    return content.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()


@pytest.mark.parametrize("seed", range(3))
def test_both_agree_and_no_message_is_lost_or_double(wait, store, inbox, others, seed):
    chance = random.Random(seed)
    theirs = Busy(others, seed)
    theirs.start()
    delivered, expunged = Counter(), Counter()
    number = 0
    while theirs.is_alive() or number < 50:
        number += 1
        wait(store.deliver(transaction(place(ANN), bodies=(body(message(subject=f"ours-{number}")),))))
        delivered[f"ours-{number}"] += 1
        uids = list(wait(inbox.uids()))
        if uids:
            one = UIDSet.of([chance.choice(uids)])
            change = chance.choice([FlagChange.ADD, FlagChange.REMOVE])
            wait(inbox.store_flags(one, change, Flags.from_names(["\\Seen", "\\Flagged"])))
        if number % 5 == 0 and uids:
            one = UIDSet.of([chance.choice(uids)])
            columns = wait(inbox.fetch(one, FetchItem.BODY))
            gone = wait(inbox.expunge(one, only_deleted=False))
            if gone and columns.bodies[0]:
                expunged[subject_of(columns.bodies[0])] += 1
    theirs.join()

    for _ in range(3):  # what one look brings to light may be for the next to finish
        status = wait(inbox.status())
    uids = wait(inbox.uids())
    columns = wait(inbox.fetch(uids, FetchItem.BODY | FetchItem.FLAGS))
    assert status.messages == len(uids) == len(others.names())
    by_index = Counter(
        (subject_of(content), flags.wire) for content, flags in zip(columns.bodies, columns.flags, strict=True)
    )
    by_files = Counter(
        (subject_of((others.folder / name).read_bytes()), flags_in(name.encode(), {}).wire) for name in others.names()
    )
    assert by_index == by_files
    here = Counter(subject for subject, _ in by_index.elements())
    assert set(here.values()) <= {1}
    # What nobody took away is there. (Both may take the same one away, each thinking that it was the one.)
    assert delivered + theirs.delivered - expunged - theirs.removed - here == Counter()
    assert not here & theirs.removed

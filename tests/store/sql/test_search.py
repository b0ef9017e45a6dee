from __future__ import annotations

from datetime import date

import pytest
from zope.interface.verify import verifyObject

from twisted_mail_node.interfaces.store import IMailbox, ISearch
from twisted_mail_node.mail.columns import InternalDate
from twisted_mail_node.mail.flags import SystemFlag
from twisted_mail_node.mail.search import (
    AllMessages,
    And,
    DateRelation,
    HasFlag,
    HasKeyword,
    HeaderContains,
    InternalDateIs,
    IsRecent,
    LargerThan,
    Not,
    Or,
    SmallerThan,
    TextContains,
    TextPlace,
    UIDIn,
)
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.testing.samples import body, flags, message

SEEN, DELETED = HasFlag(SystemFlag.SEEN), HasFlag(SystemFlag.DELETED)
TEXT = TextContains(TextPlace.TEXT, "hello")
HEADER = HeaderContains("subject", "hello")
# The same moment, told in three zones: 23:30 on the 14th, 08:30 on the 15th, 14:30 on the 14th.
MOMENT = 1_700_004_600
ROWS = [
    (message("x" * 100), flags("\\Seen"), InternalDate(MOMENT, 0)),
    (message("x" * 200), flags(), InternalDate(MOMENT, 540)),
    (message("x" * 300), flags("\\Seen", "\\Deleted", "$Work"), InternalDate(MOMENT, -540)),
    (message("x" * 400), flags("\\Flagged", "$work", "$Workshop"), InternalDate(MOMENT + 86_400, 0)),
    (message("x" * 500), flags("\\Deleted"), InternalDate(-90_000, 0)),
]
BIG = len(ROWS[2][0])


@pytest.fixture
def rows(inbox, wait):
    wait(inbox.append([(body(content), its, when) for content, its, when in ROWS]))
    return inbox


def day(relation, *when):
    return InternalDateIs(relation, date(*when))


@pytest.mark.parametrize(
    ("key", "uids"),
    [
        (AllMessages(), [1, 2, 3, 4, 5]),
        (And(()), [1, 2, 3, 4, 5]),
        (SEEN, [1, 3]),
        (Not(SEEN), [2, 4, 5]),
        (DELETED, [3, 5]),
        (Not(DELETED), [1, 2, 4]),
        (HasFlag(SystemFlag.FLAGGED), [4]),
        (HasKeyword("$WORK"), [3, 4]),
        (Not(HasKeyword("$work")), [1, 2, 5]),
        (HasKeyword("$Works"), []),
        (LargerThan(BIG), [4, 5]),
        (SmallerThan(BIG), [1, 2]),
        (day(DateRelation.ON, 2023, 11, 14), [1, 3]),
        (day(DateRelation.ON, 2023, 11, 15), [2, 4]),
        (day(DateRelation.BEFORE, 2023, 11, 15), [1, 3, 5]),
        (day(DateRelation.SINCE, 2023, 11, 15), [2, 4]),
        (day(DateRelation.ON, 1969, 12, 30), [5]),
        (And((Not(SEEN), DELETED)), [5]),
        (And((LargerThan(BIG - 1), And((Not(SEEN),)))), [4, 5]),
        (Or(SEEN, Not(DELETED)), [1, 2, 3, 4]),
        (UIDIn(UIDSet.of([2, 4, 9])), [2, 4]),
        (Not(UIDIn(UIDSet.of([2, 4, 9]))), [1, 3, 5]),
        (And((UIDIn(UIDSet.span(3, 9)), DELETED)), [3, 5]),
        (Or(UIDIn(UIDSet.span(1, 1)), And((DELETED, UIDIn(UIDSet.span(4, 9))))), [1, 5]),
    ],
)
def test_what_columns_tell_is_answered_exactly(rows, wait, key, uids):
    assert wait(rows.narrow(key)) == (UIDSet.of(uids), None)


@pytest.mark.parametrize(
    ("key", "uids", "left"),
    [
        (TEXT, [1, 2, 3, 4, 5], TEXT),
        (Not(TEXT), [1, 2, 3, 4, 5], Not(TEXT)),
        (And((SEEN, TEXT)), [1, 3], TEXT),
        (And((TEXT, Not(SEEN), HEADER)), [2, 4, 5], And((TEXT, HEADER))),
        (And((And((TEXT, DELETED)), SEEN)), [3], TEXT),
        (And((And((TEXT, DELETED)), UIDIn(UIDSet.span(4, 9)))), [5], TEXT),
        (Or(SEEN, TEXT), [1, 2, 3, 4, 5], Or(SEEN, TEXT)),
        (Or(And((DELETED, TEXT)), SEEN), [1, 3, 5], Or(And((DELETED, TEXT)), SEEN)),
        (And((UIDIn(UIDSet.span(70, 80)), TEXT)), [], None),
        (IsRecent(), [1, 2, 3, 4, 5], IsRecent()),
    ],
)
def test_what_must_be_read_is_left_over(rows, wait, key, uids, left):
    assert wait(rows.narrow(key)) == (UIDSet.of(uids), left)


def test_the_mailbox_provides_its_doors(rows):
    assert verifyObject(IMailbox, rows)
    assert verifyObject(ISearch, rows)

"""Flags: sets without case in names, interned, rendered once."""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.errors import PermanentFailure
from twisted_mail_node.mail.flags import MAX_KEYWORDS, NO_FLAGS, FlagChange, Flags, SystemFlag, flags_of


def test_names_are_compared_without_case():
    assert Flags.from_names(["\\seen", "$forwarded"]) == Flags.from_names(["$Forwarded", "\\SEEN"])


def test_equal_sets_are_one_object():
    assert Flags.from_names(["\\Seen", "b", "a"]) is Flags.from_names(["a", "b", "\\Seen"])


@pytest.mark.parametrize("name", ["\\Recent", "\\Unknown"])
def test_what_cannot_be_set_is_refused(name):
    with pytest.raises(ValueError, match="not a flag that can be set"):
        Flags.from_names([name])


def test_changes():
    seen, work = Flags.from_names(["\\Seen"]), Flags.from_names(["Work"])
    both = seen.changed(FlagChange.ADD, work)
    assert both.wire == b"\\Seen Work"
    assert both.changed(FlagChange.REMOVE, Flags.from_names(["work"])) == seen
    assert both.changed(FlagChange.REPLACE, NO_FLAGS) == NO_FLAGS
    assert both.seen
    assert not both.deleted
    assert both.has_keyword("WORK")


def test_columns_round_trip():
    flags = Flags.from_names(["\\Draft", "x", "Y"])
    assert flags_of(flags.bits, flags.keyword_text) is flags
    assert flags.bits == SystemFlag.DRAFT


def test_flags_tell_themselves_in_a_failed_tests_report():
    assert repr(Flags.from_names(["\\Seen", "Work"])) == "Flags(\\Seen Work)"


def test_a_message_has_so_many_keywords_at_most():
    full = Flags.from_names([f"k{number}" for number in range(MAX_KEYWORDS)])
    assert full.changed(FlagChange.ADD, Flags.from_names(["K0", "\\Seen"])).keywords == full.keywords
    with pytest.raises(PermanentFailure, match="keywords at most"):
        full.changed(FlagChange.ADD, Flags.from_names(["one-more"]))

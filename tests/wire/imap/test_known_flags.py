"""The flags that a client was told of. RFC 3501 §7.2.6"""

from __future__ import annotations

from twisted_mail_node.mail.flags import Flags
from twisted_mail_node.wire.imap.known_flags import KnownFlags


def test_a_keyword_is_new_once_in_whatever_case():
    known = KnownFlags(["$Known"])
    assert known.add([Flags(0, ["$known", "New"])])
    assert not known.add([Flags(0, ["NEW"])])
    assert known.flags.keywords == ("$Known", "New")


def test_what_is_remembered_of_keywords_is_bounded():
    known = KnownFlags([])
    for number in range(2500):
        known.add([Flags(0, [f"k{number % 7}", f"j{number % 11}", f"i{number % 50}"])])
    assert len(known.remembered) <= 1001
    assert len(known.flags.keywords) == 68

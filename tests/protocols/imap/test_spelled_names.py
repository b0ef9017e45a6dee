"""Any name, in each way of spelling: what is created can be listed, selected, renamed and deleted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_mail_node.mail.errors import BadMailboxName
from twisted_mail_node.mail.mailbox_name import canonical, checked
from twisted_mail_node.protocols.imap import capability
from twisted_mail_node.wire.imap.spelling import Spelling

MODES = {
    "rev1": (b"", Spelling.SEVEN_BITS),
    "utf8": (b"UTF8=ACCEPT", Spelling.UTF8),
    "rev2": (b"IMAP4rev2", Spelling.UTF8),
}

# Few characters, so that they meet: wildcards, escapes, shifts, marks that compose, what is never in a name.
characters = st.sampled_from('aÄäA\u0308\u0301é&-%*"\\ .,/語\U0001f600ﬁ\x07\x85\u2028') | st.characters(
    exclude_categories=("Cs",), exclude_characters="\0"
)
names = st.text(characters, min_size=1, max_size=12)


@pytest.mark.parametrize("mode", MODES)
def test_a_name_survives(mode, server_of, monkeypatch):
    monkeypatch.setattr(capability, "OFFERED", (*capability.OFFERED, "IMAP4rev2"))
    extension, spelling = MODES[mode]

    @settings(max_examples=50, deadline=None)
    @given(names)
    def survives(name):
        line = server_of().logged_in()
        if extension:
            line.ask(b"ENABLE " + extension)
        written = spelling.mailbox(name)
        status, _ = line.try_(b"CREATE " + written)
        # The delimiter at the end only says that others will be below (RFC 3501 §6.3.3).
        name = name.removesuffix("/") if len(name) > 1 else name
        written = spelling.mailbox(name)
        try:
            meant = checked(name)
        except BadMailboxName:
            assert status.startswith(b"NO [CANNOT]")
            assert line.try_(b"SELECT " + written)[0].startswith(b"NO [NONEXISTENT]")
            return
        if canonical(name) == "INBOX":
            assert status.startswith(b"NO [ALREADYEXISTS]")
            return
        assert status.startswith(b"OK")
        told = spelling.mailbox(meant)
        for pattern in (written, told, b"*"):
            assert b'* LIST (\\HasNoChildren) "/" %b\r\n' % told in line.ask(b'LIST "" ' + pattern)
        assert b"(MESSAGES 0)" in line.ask(b"STATUS " + written + b" (MESSAGES)")
        line.ask(b"SELECT " + written)
        line.ask(b"SUBSCRIBE " + written)
        assert b' "/" %b\r\n' % told in line.ask(b'LIST (SUBSCRIBED) "" *')
        line.ask(b"RENAME " + written + b" Renamed")
        line.ask(b"RENAME Renamed " + written)
        line.ask(b"DELETE " + written)
        assert line.try_(b"SELECT " + told)[0].startswith(b"NO [NONEXISTENT]")

    survives()

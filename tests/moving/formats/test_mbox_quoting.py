from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail_node.moving.formats import mbox_quoting
from twisted_mail_node.moving.formats.mbox_quoting import quoted, unquoted

_texts = st.lists(st.sampled_from([b"From ", b">", b"\n", b"\r\n", b"x", b"Fro", b"m "]), max_size=20)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (b"From me\n", b">From me\n"),
        (b"x\n>From me\n>>From\n", b"x\n>>From me\n>>From\n"),
        (b" From me\nfrom me\nxFrom me\n", b" From me\nfrom me\nxFrom me\n"),
        (b"", b""),
    ],
)
def test_lines_are_quoted(text, written):
    assert b"".join(quoted([text])) == written
    assert b"".join(unquoted([written])) == text


@given(_texts, st.integers(1, 9))
def test_quoting_is_undone_however_it_is_cut(parts, size):
    text = b"".join(parts)
    once = b"".join(quoted([text]))
    pieces = [once[start : start + size] for start in range(0, len(once), size)]
    assert b"".join(unquoted([b"", *pieces, b""])) == text
    assert b"".join(quoted(text[start : start + size] for start in range(0, len(text), size))) == once


def test_a_line_without_end_is_not_gathered(monkeypatch):
    monkeypatch.setattr(mbox_quoting, "_MAX_CARRIED_OCTETS", 10)
    pieces = list(unquoted([b"x" * 8, b"y" * 8, b"z\n>From a"]))
    assert b"".join(pieces) == b"x" * 8 + b"y" * 8 + b"z\nFrom a"
    assert pieces[0] == b"x" * 8 + b"y" * 8

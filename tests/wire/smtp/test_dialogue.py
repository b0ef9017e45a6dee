"""What is kept of a dialogue."""

from __future__ import annotations

from twisted_mail_node.mail.status import EnhancedStatus, Reply
from twisted_mail_node.wire.smtp.dialogue import TRANSCRIPT_CHARACTERS, TRANSCRIPT_LINES, Dialogue


def test_lines_and_replies_are_told_as_they_came():
    dialogue = Dialogue()
    dialogue.note(Reply(220, ("mx ready",)))
    dialogue.note("MAIL FROM:<jürgen@a.test> SMTPUTF8".encode())
    dialogue.note(Reply(550, ("no", "never"), EnhancedStatus(5, 7, 1)))
    assert str(dialogue).splitlines() == [
        "S: 220 mx ready",
        "C: MAIL FROM:<jürgen@a.test> SMTPUTF8",
        "S: 550 5.7.1 no",
        "S: 550 5.7.1 never",
    ]


def test_only_the_last_transaction_is_kept_behind_the_sessions_beginning():
    dialogue = Dialogue()
    dialogue.note(b"EHLO a.test")
    for number in range(3):
        dialogue.begin_transaction()
        dialogue.note(b"MAIL %d" % number)
    assert str(dialogue).splitlines() == ["C: EHLO a.test", "C: MAIL 2"]


def test_a_part_keeps_its_first_lines_only():
    dialogue = Dialogue()
    for number in range(TRANSCRIPT_LINES + 1):
        dialogue.note(b"%d" % number)
    dialogue.begin_transaction()
    dialogue.note(b"last")
    told = str(dialogue).splitlines()
    assert told[TRANSCRIPT_LINES - 1 :] == [f"C: {TRANSCRIPT_LINES - 1}", "C: last"]


def test_long_lines_are_cut_off_at_the_end():
    dialogue = Dialogue()
    for _ in range(100):
        dialogue.note(Reply(250, ("x" * 500,)))
    assert len(str(dialogue)) == TRANSCRIPT_CHARACTERS

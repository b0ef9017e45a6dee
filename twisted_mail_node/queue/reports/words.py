"""The part of a report that people read. Source: RFC 3464 §1.2 (a report is for both)."""

from __future__ import annotations

from collections.abc import Sequence

from ...mail.report import Action, Told
from .status import is_answer
from .text import indented, quoted, short

_INTRODUCTIONS = {
    Action.FAILED: "Your message could not be delivered to the recipients below, and it will not be tried again. "
    "Nothing more will come of it unless you send it once more. {returned}",
    Action.DELIVERED: "Your message was delivered into the mailboxes of the recipients below, as you wanted to know.",
    Action.RELAYED: "Your message was handed on for the recipients below. The hosts that took it do not tell when it "
    "is delivered; if it can't be, you will hear of it.",
    Action.EXPANDED: "Your message was taken for the recipients below, and passed on to several addresses each. You "
    "will hear of those only where it can't be delivered.",
}


def subject(told: Sequence[Told], count: int) -> str:
    """What the report is about, in one line; `count` recipients in all."""
    actions = {one.action for one in told}
    many = f" to {count} recipients" if count > 1 else ""
    if actions == {Action.FAILED}:
        return "Your message was not delivered" + many
    if Action.FAILED in actions:
        return "Your message was not delivered to all recipients"
    if actions == {Action.DELIVERED}:
        return "Your message was delivered" + many
    return "Your message was passed on" + many


def words_part(hostname: str, told: Sequence[Told], more: int, *, is_whole: bool) -> bytes:
    """The part with its header. Beyond `told` there are `more` recipients; `is_whole`, the message is given back."""
    paragraphs = [f"This is the mail node at {hostname}."]
    returned = "The message is attached." if is_whole else "Its header is attached."
    for action, introduction in _INTRODUCTIONS.items():
        those = [one for one in told if one.action is action]
        if those:
            paragraphs.append(introduction.format(returned=returned))
        for one in those:
            paragraphs += _recipient(one)
    if more:
        paragraphs.append(f"And {more} more.")
    text = "\r\n\r\n".join(paragraphs) + "\r\n"
    head = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + quoted(text.encode("utf-8", "replace"))


def _recipient(one: Told) -> list[str]:
    name = f"<{one.recipient}>"
    if one.written is not None and one.written != one.recipient:
        name += f" (you wrote to <{one.written}>)"
    return [name, indented(_where(one) + short(one.reply))] if one.reply or one.action is Action.FAILED else [name]


def _where(one: Told) -> str:
    if not one.host:
        return ""
    return f"The host {one.host} said: " if is_answer(one) else f"At the host {one.host}: "

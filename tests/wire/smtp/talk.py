"""Somebody who talks to the server's engine."""

from __future__ import annotations

from collections.abc import Sequence

from twisted_mail_node.mail.status import Reply
from twisted_mail_node.wire.smtp import replies
from twisted_mail_node.wire.smtp.commands import (
    Auth,
    AuthLine,
    Chunk,
    Connected,
    Content,
    Data,
    Event,
    Mistake,
    Quit,
    StartTLS,
)
from twisted_mail_node.wire.smtp.offer import Offer
from twisted_mail_node.wire.smtp.server import SMTPServerEngine
from twisted_mail_node.wire.wait import Wait

OFFER = Offer(max_size=1000, starttls=True, mechanisms=("PLAIN", "LOGIN"))


class Talk:
    """Answers every event with yes unless told otherwise, and keeps what came and what went."""

    def __init__(self, offer: Offer = OFFER, *, lmtp: bool = False) -> None:
        self.engine = SMTPServerEngine(offer, lmtp=lmtp)
        self.events: list[Event] = []
        self.output = b""
        self.answers: dict[type, Reply] = {}

    def feed(self, data: bytes, piece: int = 100_000) -> Talk:
        for start in range(0, max(len(data), 1), piece):
            self.engine.receive_data(data[start : start + piece])
            while not isinstance(event := self.engine.next_event(), Wait):
                self._take(event)
        return self

    def _take(self, event: Event) -> None:
        last = self.events[-1] if self.events else None
        if isinstance(event, Content) and isinstance(last, Content):
            self.events[-1] = Content(last.data + event.data)
            return
        self.events.append(event)
        if not isinstance(event, Chunk | Content):
            self.output += self._answer(event)

    def _answer(self, event: Event) -> bytes:
        if type(event) in self.answers:
            return self.engine.send(self.answers[type(event)])
        match event:
            case Mistake(answer):
                return self.engine.send(answer)
            case Connected():
                return self.engine.send(Reply(220, ("hi",)))
            case Data():
                return self.engine.send(replies.START_INPUT)
            case StartTLS():
                return self.engine.send(replies.READY_FOR_TLS)
            case Quit():
                return self.engine.send(replies.BYE)
            case Auth("LOGIN", None):
                return self.engine.challenge(b"VXNlcm5hbWU6")
            case Auth() | AuthLine():
                return self.engine.send(replies.AUTHENTICATED)
            case _:
                return self.engine.send(replies.OK)

    @property
    def codes(self) -> list[int]:
        return [int(line[:3]) for line in self.output.splitlines()]


def whole_and_cut(session: bytes, cuts: Sequence[int], offer: Offer = OFFER) -> Talk:
    """The session at once, of which the same has to come when it is cut at these places."""
    whole, cut, start = Talk(offer).feed(session), Talk(offer), 0
    for end in [*sorted(cuts), len(session)]:
        cut.feed(session[start:end])
        start = end
    assert cut.events == whole.events
    assert cut.output == whole.output
    return whole

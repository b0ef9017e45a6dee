"""
The server's engine: octets in, events out, answers in, octets out. SMTP, submission and LMTP.

It knows order, grammar and limits; it decides nothing. After an event it is paused until `send`, so answers keep
the order of the commands however late they come. Neighbours: `states` (the table), `grammar` and `commands`, `offer`
(what is to be had), `data` and `chunks` (content).

Sources: RFC 5321; RFC 2920 (pipelining); RFC 3030 (chunks); RFC 3207; RFC 4954; RFC 2033.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...mail.envelope import BodyType
from ...mail.status import Reply
from ..buffer import LineBuffer
from ..errors import LineTooLong, MisuseError
from ..wait import Wait
from . import replies
from .chunks import ChunkReader
from .commands import AuthLine, Chunk, ChunkEnd, Connected, Content, ContentEnd, Event, Mail, Mistake, Verb
from .data import DataReader
from .grammar import PARSERS, VERBS
from .offer import Extension, Offer
from .parameters import AUTH_LINE_OCTETS, COMMAND_LINE_OCTETS, LINE_LIMITS
from .states import OUT_OF_ORDER, TRANSITIONS, State

# A line that never ends is skipped for so long, then the session ends. Of our own choice.
ENDLESS_LINE_OCTETS = 1024 * 1024

# RFC 5321 §2.3.8, §4.1.1.1: no control character but the tab has a place in a command.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_HELLOS = frozenset((Verb.HELO, Verb.EHLO, Verb.LHLO))
_CONNECTED = Connected()
_CHUNK_END = ChunkEnd()
_NO_CHUNKS = ChunkReader()  # of no message: many sessions never see a chunk
_CONTENT_ANSWER = (Verb.CONTENT, State.GREETED)
_CHUNK_ANSWER = (Verb.BDAT, State.CHUNKS)
# To look for a member in a set takes less than to get hold of one of an Enum, and what comes most is in none of these.
_WITHOUT_LINES = frozenset((State.CONTENT, State.CHUNK, State.NEW, State.CLOSED))
_WITH_CONDITIONS = frozenset(Verb) - {Verb.MAIL, Verb.RCPT, Verb.DATA, Verb.RSET, Verb.NOOP, Verb.QUIT}
_WITH_CONSEQUENCES = frozenset((Verb.DATA, Verb.STARTTLS, Verb.AUTH))


class SMTPServerEngine:
    """
    One session.

    `offer` is what is to be had now; the session replaces it when that changes (TLS began, somebody logged in).
    `state` may be read. `closed` is true once the last answer has been given.
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_is_binary",
        "_lmtp",
        "_normalise",
        "_pending",
        "_reader",
        "_since_line",
        "_unwanted",
        "authenticated",
        "offer",
        "state",
    )

    def __init__(self, offer: Offer, *, lmtp: bool = False, normalise_newlines: bool = False) -> None:
        self.offer = offer
        self.state = State.NEW
        self.authenticated = False
        self._lmtp = lmtp
        self._normalise = normalise_newlines
        self._buffer = LineBuffer(AUTH_LINE_OCTETS)
        self._reader = DataReader()
        self._chunks = _NO_CHUNKS
        self._is_binary = False
        # Octets of a chunk that came out of order, and the reply that follows when they have been thrown away.
        self._unwanted: tuple[int, Reply] | None = None
        self._since_line = 0
        # The verb that waits for its answer, and the state after a positive one; None is "stay".
        self._pending: tuple[Verb | None, State | None] | None = None

    @property
    def closed(self) -> bool:
        """The dialogue is over."""
        return self.state is State.CLOSED

    @property
    def awaits_answer(self) -> bool:
        """An event was given that `send` has not answered yet."""
        return self._pending is not None

    @property
    def is_receiving_content(self) -> bool:
        """Between the 354 and the end of the message, or within a chunk."""
        return self.state is State.CONTENT or self.state is State.CHUNK

    @property
    def has_input(self) -> bool:
        """Something has come that no event has told of yet."""
        return len(self._buffer) > 0

    def receive_data(self, data: bytes) -> None:
        """Take what was received."""
        self._buffer.feed(data)
        self._since_line += len(data)

    def next_event(self) -> Event | Wait:
        """
        The next event; NEED_DATA when there is none; PAUSED while one waits for `send`, and at the end.

        Never raises, whatever came: a mistake of the peer is an event that carries its reply.
        """
        if self._pending is not None:
            return Wait.PAUSED
        if self.state in _WITHOUT_LINES:
            return self._without_lines(self.state)
        if self._unwanted is not None:
            return self._throw_away(*self._unwanted)
        try:
            line = self._buffer.take_line()
        except LineTooLong:
            self._since_line = len(self._buffer)
            return self._too_long()
        if line is None:
            if self._since_line > ENDLESS_LINE_OCTETS:
                return self._mistake(replies.ENDLESS_LINE)
            return Wait.NEED_DATA
        self._since_line = len(self._buffer)
        if self.state is State.AUTHENTICATING:
            self._pending = (Verb.AUTH, State.GREETED)
            return AuthLine(line)
        return self._command(line)

    def _without_lines(self, state: State) -> Event | Wait:
        if state is State.CONTENT:
            return self._content()
        if state is State.CHUNK:
            return self._chunk()
        if state is State.CLOSED:
            return Wait.PAUSED
        self._pending = (Verb.CONNECT, State.STARTED)
        return _CONNECTED

    def send(self, answer: Reply, *, utf8: bool = False) -> bytes:
        """
        Answer the pending event. The state moves by the answer's first digit alone (RFC 5321 §4.2.1).

        A 220 to STARTTLS drops what is buffered and makes the session new; the caller begins TLS behind it. With `utf8`
        the text may be beyond ASCII: the client has said that it wants that.

        Raises: MisuseError: no event waits for an answer.
        """
        verb, following = self._take_pending()
        if answer.code < 400:
            if following is not None:
                self.state = following
            if verb in _WITH_CONSEQUENCES:
                self._follow(verb)
        elif verb is Verb.CONTENT or verb is Verb.BDAT or verb is Verb.AUTH:
            # RFC 3030 §2: a chunk that failed ends the transaction; the chunks behind it come out of order.
            self.state = State.GREETED
        elif verb is Verb.CONNECT:
            self.state = State.REFUSED
        if answer.close or answer.code == 421:
            self.state = State.CLOSED
        return replies.render(answer, utf8=utf8)

    def _follow(self, verb: Verb | None) -> None:
        """Do what else a positive answer brings."""
        if verb is Verb.DATA:
            self._reader = DataReader(normalise=self._normalise)
        elif verb is Verb.STARTTLS:
            self._begin_anew()
        else:
            self.authenticated = True

    def send_each(self, answers: Sequence[Reply]) -> bytes:
        """
        Answer the end of a message in LMTP, one reply per accepted recipient. Source: RFC 2033 §4.2.

        Raises: MisuseError: another event is pending, or there is no answer at all.
        """
        if self._pending != _CONTENT_ANSWER or not answers:
            raise MisuseError("several answers belong to the end of a message only")
        self._pending = None
        self.state = State.CLOSED if any(answer.close for answer in answers) else State.GREETED
        return b"".join(map(replies.render, answers))

    def challenge(self, base64: bytes) -> bytes:
        """
        Go on with an AUTH exchange: the next line is the client's response. Source: RFC 4954 §4.

        Raises: MisuseError: no AUTH is pending.
        """
        verb, _ = self._take_pending()
        if verb is not Verb.AUTH:
            raise MisuseError("a challenge without AUTH")
        self.state = State.AUTHENTICATING
        return b"334 " + base64 + b"\r\n"

    def _take_pending(self) -> tuple[Verb | None, State | None]:
        pending = self._pending
        if pending is None:
            raise MisuseError("an answer without an event")
        self._pending = None
        return pending

    def _mistake(self, answer: Reply) -> Mistake:
        self._pending = (None, None)
        return Mistake(answer)

    def _too_long(self) -> Mistake:
        if self.state is State.AUTHENTICATING:
            self._pending = (Verb.AUTH, None)
            return Mistake(replies.AUTH_LINE_TOO_LONG)
        return self._mistake(replies.LINE_TOO_LONG)

    def _command(self, line: bytes) -> Event | Wait:
        if _CONTROL.search(line) is not None:
            return self._mistake(self._unless_chunk(line, replies.BAD_LINE))
        word, _, argument = line.partition(b" ")
        verb = VERBS.get(word) or VERBS.get(word.upper())
        if verb is None:
            too_long = len(line) + 2 > COMMAND_LINE_OCTETS
            return self._mistake(replies.LINE_TOO_LONG if too_long else replies.UNKNOWN_COMMAND)
        octets = len(line) + 2
        if octets > COMMAND_LINE_OCTETS and octets > LINE_LIMITS.get(verb.value, COMMAND_LINE_OCTETS):
            return self._mistake(self._unless_chunk(line, replies.LINE_TOO_LONG))
        following = TRANSITIONS.get((self.state, verb))
        if following is None or self._is_binary or verb in _WITH_CONDITIONS:
            refusal = self._refusal(verb, following)
            if refusal is not None:
                return self._mistake(refusal)
        event = PARSERS[verb](argument, self.offer)
        if isinstance(event, Chunk):
            return self._begin_chunk(event)
        if isinstance(event, Mistake):
            self._pending = (None, None)
            return event
        if isinstance(event, Mail):
            self._is_binary = event.body_type is BodyType.BINARY_MIME
        self._pending = (verb, following)
        return event

    def _refusal(self, verb: Verb, following: State | None) -> Reply | None:
        """Why this command can't be had here or now; None where it can."""
        if verb in _HELLOS and (verb is Verb.LHLO) is not self._lmtp:
            return replies.USE_LHLO if self._lmtp else replies.UNKNOWN_COMMAND  # RFC 2033 §4.1
        if verb is Verb.BDAT:
            # What follows it has to be read, wanted or not.
            return None if self.offer.has(Extension.CHUNKING) else replies.UNKNOWN_COMMAND
        if following is None:
            return OUT_OF_ORDER.get((self.state, verb), replies.BAD_SEQUENCE)
        if verb is Verb.DATA and self._is_binary:
            return replies.BINARY_BY_CHUNKS
        if (verb is Verb.XCLIENT and not self.offer.xclient) or (verb is Verb.XFORWARD and not self.offer.xforward):
            return replies.NOT_TRUSTED
        if verb is Verb.STARTTLS and not self.offer.starttls:
            return replies.TLS_ACTIVE if self.offer.tls else replies.NOT_IMPLEMENTED
        if verb is Verb.AUTH:
            if self.authenticated:
                return replies.ALREADY_AUTHENTICATED  # RFC 4954 §4
            if not self.offer.mechanisms:
                return replies.TLS_REQUIRED_FOR_AUTH if self.offer.auth_needs_tls else replies.NOT_IMPLEMENTED
        return None

    def _content(self) -> Event | Wait:
        reader = self._reader
        if not reader.ended:
            waiting = len(self._buffer)
            if not waiting:
                return Wait.NEED_DATA
            content = reader.receive(self._buffer.take_up_to(waiting))
            if content:
                self._after_content(reader)
                return Content(content)
            if not self._after_content(reader):
                return Wait.NEED_DATA
        self._pending = _CONTENT_ANSWER
        return ContentEnd(reader.size_octets, reader.bare_newlines, reader.nul)

    def _unless_chunk(self, line: bytes, answer: Reply) -> Reply:
        """Of a BDAT that can't be read nobody knows what follows it."""
        return replies.BAD_CHUNK if line[:4].upper() == b"BDAT" and self.offer.has(Extension.CHUNKING) else answer

    def _begin_chunk(self, event: Chunk) -> Event | Wait:
        if (self.state, Verb.BDAT) not in TRANSITIONS:
            return self._throw_away(event.size, replies.CHUNK_OUT_OF_ORDER)
        if self.state is State.RECIPIENT:
            self._chunks = ChunkReader(binary=self._is_binary, normalise=self._normalise)
        self._chunks.begin(event.size, event.is_last)
        self.state = State.CHUNK
        return event

    def _chunk(self) -> Event | Wait:
        reader = self._chunks
        while reader.left_octets:
            octets = self._buffer.take_up_to(reader.left_octets)
            if not octets:
                return Wait.NEED_DATA
            if content := reader.receive(octets):
                return Content(content)
        self._since_line = len(self._buffer)
        if not reader.is_last:
            self._pending = _CHUNK_ANSWER
            return _CHUNK_END
        if content := reader.finish():
            return Content(content)
        self._pending = _CONTENT_ANSWER
        return ContentEnd(reader.size_octets, reader.bare_newlines, reader.nul)

    def _throw_away(self, left_octets: int, answer: Reply) -> Event | Wait:
        left_octets -= len(self._buffer.take_up_to(left_octets))
        if left_octets:
            self._unwanted = (left_octets, answer)
            return Wait.NEED_DATA
        self._unwanted = None
        self._since_line = len(self._buffer)
        return self._mistake(answer)

    def _after_content(self, reader: DataReader) -> bool:
        """Give back what came behind the end of the message, if it is there."""
        if reader.ended:
            self._buffer.feed(reader.rest)
            self._since_line = len(reader.rest)
        return reader.ended

    def _begin_anew(self) -> None:
        # RFC 3207 §4.2: what came before TLS is not to be believed. RFC 3207 §5: nor what was sent behind it.
        self._buffer.clear()
        self._since_line = 0
        self.authenticated = False

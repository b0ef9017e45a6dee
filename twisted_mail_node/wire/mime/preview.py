"""
The preview of a message: what its text begins with, in one line. Source: RFC 8970 §3.3.

Only the beginning of the first text part is looked at, so that it costs little however large the message is. Who
asks reads it: `preview_part` says which octets. Neighbours: `structure` finds the parts, `decode` makes them text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from .decode import TextDecoder
from .structure import Part

PREVIEW_CHARACTERS = 200
"""RFC 8970 §3.3: not more than 200, and never more than 256."""

LOOKED_AT_OCTETS = 32 * 1024
"""Our own bound: of the part, before transfer decoding. HTML often has its styles in front."""

# HTML is looked through in such pieces, and no further than it takes.
_HTML_PIECE = 2048
# Characters whose like is put by the dozen behind a short text, so that previews show nothing else, and controls.
_blank = re.compile("[\\s\u00ad\u034f\u061c\u115f\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_controls = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]+")
_quoted_line = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_signature = re.compile(r"^-- ?\r?$", re.MULTILINE)


def preview_of(message: bytes, root: Part) -> bytes:
    """The preview in UTF-8 of a whole message with this tree; empty where there is no text to show."""
    part = preview_part(root)
    if part is None:
        return b""
    end = min(part.body_end, part.body_start + LOOKED_AT_OCTETS)
    return preview_of_part(part, message[part.body_start : end])


def preview_part(root: Part) -> Part | None:
    """The first part that is text to be read, plain where there is a choice. None where there is none."""
    parts = list(_texts(root))
    plain = next((part for part in parts if part.subtype.lower() == b"plain"), None)
    first = parts[0] if parts else None
    if plain is None or first is None or _is_alternative(root, first, plain):
        return plain or first
    return first


def preview_of_part(part: Part, octets: bytes) -> bytes:
    """The preview in UTF-8, given the first LOOKED_AT_OCTETS of the part's body, or all of it."""
    decoder = TextDecoder(part)
    text = decoder.feed(octets) + decoder.finish()
    text = _plain_text(text) if part.subtype.lower() != b"html" else _html_text(text)
    return _one_line(text)[:PREVIEW_CHARACTERS].rstrip().encode("utf-8", "replace")


def _texts(root: Part) -> Iterator[Part]:
    """Text parts in order, attachments and messages inside the message left out."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting.extend(reversed(part.children))
        elif part.type.lower() == b"text" and part.subtype.lower() in (b"plain", b"html") and not _is_attached(part):
            yield part


def _is_attached(part: Part) -> bool:
    return part.disposition is not None and part.disposition[0].lower() == b"attachment"


def _is_alternative(root: Part, one: Part, other: Part) -> bool:
    """Whether the two stand in one multipart/alternative, so that one may be taken for the other."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.subtype.lower() == b"alternative" and {id(one), id(other)} <= {id(text) for text in _texts(part)}:
            return True
        waiting.extend(part.children)
    return False


def _one_line(text: str) -> str:
    return _blank.sub(" ", _controls.sub(" ", text)).strip()


def _plain_text(text: str) -> str:
    """What the author wrote: without quoted lines and signature, if something is left then."""
    signature = _signature.search(text)
    own = _quoted_line.sub("", text if signature is None else text[: signature.start()])
    return own if _one_line(own) else text


def _html_text(text: str) -> str:
    reader = _HTMLText()
    for start in range(0, len(text), _HTML_PIECE):
        reader.feed(text[start : start + _HTML_PIECE])
        if reader.characters >= 2 * PREVIEW_CHARACTERS and len(_one_line(reader.text)) >= PREVIEW_CHARACTERS:
            return reader.text
    reader.feed("<p>")  # lets go of text that stands last
    return reader.text


class _HTMLText(HTMLParser):
    """The text of an HTML document; `characters` counts it, white space with it."""

    _UNSEEN = frozenset(("head", "script", "style", "template", "title", "noscript"))
    _INLINE = frozenset(("a", "abbr", "b", "code", "em", "font", "i", "mark", "s", "small", "span", "strong", "u"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.characters = 0
        self._parts: list[str] = []
        self._unseen: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._unseen.clear()
        elif tag in self._UNSEEN:
            self._unseen.append(tag)
        if tag not in self._INLINE:
            self._add(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self._INLINE:
            self._add(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag not in self._INLINE:
            self._add(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._add(data)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self.characters += len(text)

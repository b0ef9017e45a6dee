"""
Where the octets of BODY[...] are, as offsets into the message. Source: RFC 3501 §6.4.5.

HEADER.FIELDS is the HEADER of the same part, passed through `headers.FieldChoice`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from .structure import Part


class SectionText(Enum):
    """Which text of a part is meant; CONTENT is what no word at all means."""

    CONTENT = ""
    HEADER = "HEADER"
    TEXT = "TEXT"
    MIME = "MIME"


def find_part(root: Part, path: Sequence[int]) -> Part | None:
    """The part that a path like (1, 2) names, or None. The empty path names the message itself."""
    inside: Part | None = root  # the message that the next number is looked up in, or a part
    is_message = True
    part: Part | None = root
    for number in path:
        if inside is None or number < 1:
            return None
        if not is_message and inside.is_message:
            inside, is_message = inside.children[0], True
        if inside.is_multipart:
            part = inside.children[number - 1] if number <= len(inside.children) else None
        elif is_message and number == 1:
            part = inside  # RFC 3501 §6.4.5: a message that is no multipart has its text as part 1
        else:
            part = None
        inside, is_message = part, False
    return part


def locate(root: Part, path: Sequence[int], text: SectionText) -> tuple[int, int] | None:
    """
    The section's first octet and the one behind its last, or None where the message has no such section.

    Args: path: part numbers, empty for the message itself. text: what of it. MIME needs a path; HEADER and
        TEXT of a path exist in parts only that have a message in them.
    """
    if not path:
        if text is SectionText.HEADER:
            return root.header_start, root.body_start
        if text is SectionText.TEXT:
            return root.body_start, root.body_end
        return (root.header_start, root.body_end) if text is SectionText.CONTENT else None
    part = find_part(root, path)
    if part is None:
        return None
    if text is SectionText.MIME:
        return part.header_start, part.body_start
    if text is SectionText.CONTENT:
        return part.body_start, part.body_end
    if not part.is_message:
        return None
    message = part.children[0]
    if text is SectionText.HEADER:
        return message.header_start, message.body_start
    return message.body_start, message.body_end

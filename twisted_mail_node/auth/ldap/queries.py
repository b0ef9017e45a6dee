"""
What an LDAP server is asked for: filters and names with a user's name put in.

Decides how a name gets into them so that it stays a value whatever it holds. A filter is parsed once, and values are
put into what came of it; a distinguished name is text, so values are escaped.

Sources: RFC 4515 (filters), RFC 4514 §2.4 (distinguished names), RFC 4518 (how servers compare).
"""

from __future__ import annotations

import re
import stringprep
import unicodedata
from collections.abc import Mapping
from typing import Any

from ldaptor.ldapfilter import InvalidLDAPFilter, parseFilter
from ldaptor.protocols import pureldap

_PLACE = re.compile(r"\{(\w*)\}")


class BadTemplate(ValueError):
    """A filter or name of the configuration that can't be used; the text says why."""


def values_of(name: str) -> Mapping[str, str]:
    """What may stand in templates, of a user's name: `{user}` is all of it, `{local}` and `{domain}` its parts."""
    local, _, domain = name.rpartition("@")
    return {"user": name, "local": local, "domain": domain}


def stands_for_itself(name: str) -> bool:
    """
    Whether a server takes no other spelling for the same, large letters apart.

    RFC 4518 §2.2, §2.3 and §2.6: it passes over blanks and characters that are not seen, and makes widths alike. Who
    were known by all of these would have an account for each.
    """
    return unicodedata.normalize("NFKC", name) == name and not any(map(_is_passed_over, name))


def _is_passed_over(character: str) -> bool:
    unseen = character.isspace() or not character.isprintable()
    return unseen or character == "\ufffc" or stringprep.in_table_b1(character)


class FilterTemplate:
    """A filter whose values may have `{user}`, `{local}` and `{domain}` in them."""

    def __init__(self, text: str) -> None:
        """Raises: BadTemplate."""
        _check_places(text)
        try:
            self._parsed = parseFilter(text)
        except (InvalidLDAPFilter, ValueError, TypeError) as error:
            raise BadTemplate("not an LDAP filter (RFC 4515)") from error
        _check_names_one(text)
        asked: list[str] = []
        _filled(self._parsed, values_of(""), asked)
        if len(asked) != len(_PLACE.findall(text)):
            raise BadTemplate('only values of "=" can have {user}, {local} or {domain} in them, without "*"')

    # Any: of ldaptor.
    def filled(self, values: Mapping[str, str]) -> Any:
        """The filter with these values, for a search."""
        return _filled(self._parsed, values, [])


def _filled(part: Any, values: Mapping[str, str], asked: list[str]) -> Any:  # Any: of ldaptor.
    """The filter with these values; what it has places for is noted in `asked`."""
    if isinstance(part, pureldap.LDAPFilter_and | pureldap.LDAPFilter_or):
        return type(part)([_filled(each, values, asked) for each in part])
    if isinstance(part, pureldap.LDAPFilter_not):
        return pureldap.LDAPFilter_not(_filled(part.value, values, asked))
    if isinstance(part, pureldap.LDAPFilter_equalityMatch):
        value = _text(part.assertionValue.value)
        asked += _PLACE.findall(value)
        put_in = _PLACE.sub(lambda place: values[place[1]], value)
        return pureldap.LDAPFilter_equalityMatch(
            attributeDesc=part.attributeDesc, assertionValue=pureldap.LDAPAssertionValue(put_in.encode("utf-8"))
        )
    return part


def distinguished_name(template: str, values: Mapping[str, str]) -> str:
    """The distinguished name with these values."""
    return _PLACE.sub(lambda place: escaped(values[place[1]]), template)


def check_name_template(template: str) -> None:
    """Raises: BadTemplate."""
    _check_places(template)
    _check_names_one(template)


def escaped(value: str) -> str:
    """A value as it stands in a distinguished name. Source: RFC 4514 §2.4."""
    text = re.sub(r'["+,;<>\\=]', r"\\\g<0>", value).replace("\0", "\\00")
    if text.startswith((" ", "#")):
        text = "\\" + text
    if text.endswith(" ") and len(value) > 1:
        text = text[:-1] + "\\ "
    return text


def _check_places(text: str) -> None:
    if strangers := set(_PLACE.findall(text)) - set(values_of("")):
        raise BadTemplate(f"{{{min(strangers)}}} is not known here: {{user}}, {{local}} or {{domain}}")


def _check_names_one(text: str) -> None:
    if "{user}" not in text and "{local}" not in text:
        raise BadTemplate("it leads to the same entry for everybody: it needs {user} or {local}")


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8")

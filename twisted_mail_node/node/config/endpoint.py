"""
Twisted endpoint strings as the configuration has them: checked, taken apart, put together.

Only server endpoints that the node knows how to treat are allowed: tcp:, tcp6:, unix:, systemd:, ssl:, and
haproxy: in front of one of these. A path in a unix: endpoint may begin with `{state_dir}`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from twisted.internet.endpoints import serverFromString

UNIX_PATH_OCTETS = 107
"""The longest path of a unix socket: sun_path has 108 octets with its NUL (Linux unix(7))."""

STATE_DIR_MARK = "{state_dir}"

_KNOWN = ("tcp", "tcp6", "unix", "systemd", "ssl")


@dataclass(frozen=True, slots=True)
class EndpointParts:
    """
    An endpoint string taken apart.

    `kind` is tcp, tcp6, unix, systemd or ssl; `proxied` says that haproxy: stood in front; `arguments` are the
    positional ones, `options` those with a name, both unescaped.
    """

    kind: str
    proxied: bool
    arguments: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """The path of a unix: endpoint, empty for any other."""
        if self.kind != "unix":
            return ""
        return self.arguments[0] if self.arguments else dict(self.options).get("address", "")

    @property
    def fixed_port(self) -> int:
        """The port of a tcp: or ssl: endpoint; 0 where the system chooses, or for any other kind."""
        text = self.arguments[0] if self.arguments else dict(self.options).get("port", "")
        return int(text) if self.kind in ("tcp", "tcp6", "ssl") and text.isascii() and text.isdigit() else 0

    def with_path(self, path: str) -> EndpointParts:
        """The same unix: endpoint at another path."""
        options = tuple(item for item in self.options if item[0] != "address")
        return EndpointParts(self.kind, self.proxied, (path, *self.arguments[1:]), options)

    def with_backlog(self, connections: int) -> EndpointParts:
        """The same endpoint with so many connections kept waiting by the kernel, where nothing is said of it."""
        if self.kind == "systemd" or any(name == "backlog" for name, _ in self.options):
            return self
        return replace(self, options=(*self.options, ("backlog", str(connections))))

    def inner_text(self) -> str:
        """The endpoint string for Twisted, without haproxy: in front."""
        named = [f"{name}={_quoted(value)}" for name, value in self.options]
        return ":".join([self.kind, *map(_quoted, self.arguments), *named])

    def __str__(self) -> str:
        return f"haproxy:{self.inner_text()}" if self.proxied else self.inner_text()


def split_endpoint(text: str) -> EndpointParts:
    """
    Take an endpoint string apart.

    Raises: ValueError: a kind that is not one of ours; the text says what is allowed.
    """
    fields = _fields(text)
    proxied = fields[0] == ("", "haproxy")
    if proxied:
        fields = fields[1:]
    kind = fields[0][1] if fields and not fields[0][0] else ""
    if kind not in _KNOWN:
        raise ValueError(
            "a Twisted endpoint string that begins with tcp:, tcp6:, unix:, systemd:, ssl: or haproxy:, "
            'such as "tcp:2525:interface=127.0.0.1"'
        )
    positional = tuple(value for name, value in fields[1:] if not name)
    return EndpointParts(kind, proxied, positional, tuple((name, value) for name, value in fields[1:] if name))


def _quoted(argument: str) -> str:
    """The argument with what has a meaning in endpoint strings escaped."""
    return argument.replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")


def _fields(text: str) -> list[tuple[str, str]]:
    """The parts between colons as (name or "", value); a backslash takes the next character as it is."""
    fields, name, value = [], "", ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            value += next(characters, "")
        elif character == ":":
            fields.append((name, value))
            name, value = "", ""
        elif character == "=" and not name:
            name, value = value, ""
        else:
            value += character
    fields.append((name, value))
    return fields


def check_endpoint(text: str) -> None:
    """
    Let Twisted read the endpoint string, without listening. Whether files and sockets exist is asked at the start.

    Raises: ValueError: the text says what is allowed.
    """
    parts = split_endpoint(text)
    if parts.kind == "systemd":
        return _check_systemd(parts)
    if parts.kind == "ssl":
        return None
    if parts.kind in ("tcp", "tcp6"):
        _check_port(parts)
    try:
        _READ_BY_TWISTED(None, parts.inner_text())
    except Exception as error:
        raise ValueError(f"a Twisted endpoint string; this one is not understood ({error})") from None
    if parts.kind == "unix" and not parts.path:
        raise ValueError("unix: with a path")
    return None


def _check_port(parts: EndpointParts) -> None:
    text = parts.arguments[0] if parts.arguments else dict(parts.options).get("port", "")
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError(f"a port from 0 (any free one) to 65535 behind {parts.kind}:")


def _check_systemd(parts: EndpointParts) -> None:
    """The sockets are known only to the process that systemd starts, so only the form is checked."""
    options = dict(parts.options)
    if options.get("domain", parts.arguments[0] if parts.arguments else "") not in ("INET", "INET6", "UNIX"):
        raise ValueError("systemd: with domain=INET, INET6 or UNIX")
    if ("index" in options or len(parts.arguments) > 1) == ("name" in options):
        raise ValueError("systemd: with either index= or name=")


# It asks for a reactor but only keeps it.
_READ_BY_TWISTED: Callable[[object, str], object] = serverFromString


def resolved_endpoint(text: str, state_dir: Path, base: Path) -> EndpointParts:
    """
    The endpoint with its unix path made absolute: `{state_dir}` filled in, else relative to `base`.

    With STATE_DIR_MARK itself as `state_dir`, the mark is left for later.
    """
    parts = split_endpoint(text)
    if parts.kind != "unix":
        return parts
    path = parts.path.replace(STATE_DIR_MARK, str(state_dir))
    if path.startswith(STATE_DIR_MARK):
        return parts.with_path(path)
    return parts.with_path(os.path.abspath(base / path))

"""
From a TOML file, and what the command line says over it, to a Config; or to all mistakes at once.

Order of precedence: command line, file, default. Without a file named, `./mailnode.toml` is taken if it exists.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .contradictions import contradictions
from .endpoint import STATE_DIR_MARK, resolved_endpoint
from .mistakes import ConfigError, Mistake, known_keys, mistake_of, unknown_key
from .sections import Config

DEFAULT_FILE = Path("mailnode.toml")

_IMPLICIT = {"submissions": "submission", "smtps": "submission", "pop3s": "pop3", "imaps": "imap"}
"""Names under which --listen takes a service with implicit TLS."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """
    What the command line says. Empty means: nothing.

    `listen` holds `SERVICE=ENDPOINT` texts, which replace all listeners; SERVICE is one of the file's, or
    submissions, pop3s, imaps for implicit TLS. Relative paths are relative to the working directory.
    """

    state_dir: str = ""
    hostname: str = ""
    listen: Sequence[str] = ()


_NO_OVERRIDES = Overrides()


def load_config(path: str | Path | None = None, overrides: Overrides = _NO_OVERRIDES) -> Config:
    """
    Read and check the configuration.

    Without `path`, `./mailnode.toml` if it exists, else the defaults. Raises: ConfigError: all mistakes.
    """
    if path is None:
        if not DEFAULT_FILE.exists():
            return _checked({}, "", Path.cwd(), overrides, without_file=True)
        path = DEFAULT_FILE
    path = Path(path)
    return _checked(_decoded(path), str(path), path.absolute().parent, overrides, without_file=False)


def default_config(overrides: Overrides = _NO_OVERRIDES) -> Config:
    """The configuration of the start without a file, whether one lies here or not."""
    return _checked({}, "", Path.cwd(), overrides, without_file=True)


# Any: what TOML may hold.
def parse_config(settings: str | Mapping[str, Any], base: str | Path = ".", source: str = "") -> Config:
    """
    Check a configuration given as TOML text or as the mapping that TOML text would give, as embedders have it.

    Relative paths are relative to `base`; `source` is how mistakes name it. Raises: ConfigError: all mistakes.
    """
    raw = _parsed(settings, source) if isinstance(settings, str) else settings
    return _checked(raw, source, Path(base).absolute(), _NO_OVERRIDES, without_file=False)


def _decoded(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = f"the configuration file can't be read: {error.strerror}"
        raise ConfigError([Mistake(str(path), "", "", reason)]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Mistake(str(path), "", "", f"TOML is written in UTF-8: {error}")]) from error
    return _parsed(text, str(path))


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Mistake(source, "", "", f"not TOML: {error}")]) from error


def _checked(
    settings: Mapping[str, Any], source: str, base: Path, overrides: Overrides, *, without_file: bool
) -> Config:
    raw, mistakes = _overridden(settings, overrides)
    origin = {"state_dir": "--state-dir", "hostname": "--hostname", "listen": "--listen"}
    overridden = {key for key in origin if getattr(overrides, key)}
    if "without_file" in settings:
        mistakes.append(Mistake(source, "without_file", "", unknown_key("without_file", known_keys(Config, ()))))

    def named(key: str) -> str:
        return origin[key] if key in overridden else source

    config = None
    try:
        config = Config.model_validate({**raw, "without_file": without_file}, context={"base": base})
    except ValidationError as error:
        found = error.errors(include_url=False)
        mistakes += [
            mistake_of(named(str(details["loc"][0])), details, Config)
            for details in found
            if details["type"] != "too_short" or not details["input"]  # else its entries are wrong, and told
        ]
    mistakes += contradictions(raw, named, has_certificate=without_file or "tls" in raw)
    if mistakes or config is None:
        raise ConfigError(mistakes)
    return config


def _overridden(settings: Mapping[str, Any], overrides: Overrides) -> tuple[dict[str, Any], list[Mistake]]:
    raw, mistakes = dict(settings), []
    if overrides.hostname:
        raw["hostname"] = overrides.hostname
    if overrides.state_dir:
        raw["state_dir"] = os.path.abspath(os.path.expanduser(overrides.state_dir))
    listen = []
    for text in overrides.listen:
        service, equals, endpoint = text.partition("=")
        if not equals:
            allowed = 'allowed: SERVICE=ENDPOINT such as "smtp=tcp:2525:interface=127.0.0.1"'
            mistakes.append(Mistake("--listen", "", text, allowed))
            continue
        entry = {"service": _IMPLICIT.get(service, service), "endpoint": _from_here(endpoint)}
        listen.append(entry | ({"tls": "implicit"} if service in _IMPLICIT else {}))
    if overrides.listen:
        raw["listen"] = listen or settings.get("listen", [])
        if not raw["listen"]:
            del raw["listen"]
    return raw, mistakes


def _from_here(endpoint: str) -> str:
    """The endpoint with a relative unix path made absolute by the working directory."""
    try:
        return str(resolved_endpoint(endpoint, Path(STATE_DIR_MARK), Path.cwd()))
    except ValueError:
        return endpoint  # told as a mistake when it is checked

"""
What the node is told: one TOML file, decoded and checked as a whole.

`values` holds the kinds of value (size, duration, endpoint), `sections` the tables with their settings and
defaults, `mistakes` how a mistake is told, `loading` the way from a file to a `Config`.
"""

from .loading import Overrides, default_config, load_config, parse_config
from .mistakes import ConfigError, Mistake
from .sections import (
    AuthSettings,
    Config,
    DNSSettings,
    DomainSettings,
    IMAPSettings,
    LimitSettings,
    ListenSettings,
    RelaySettings,
    StoreSettings,
    TLSSettings,
)

__all__ = [
    "AuthSettings",
    "Config",
    "ConfigError",
    "DNSSettings",
    "DomainSettings",
    "IMAPSettings",
    "LimitSettings",
    "ListenSettings",
    "Mistake",
    "Overrides",
    "RelaySettings",
    "StoreSettings",
    "TLSSettings",
    "default_config",
    "load_config",
    "parse_config",
]

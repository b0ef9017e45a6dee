"""
The tables of the configuration: every setting with its kind, default and meaning.

`etc/mailnode.toml` shows the same to the operator; a test holds the two equal. A new setting goes into both.
A file holds the tables of one side of the node; `config` holds all of them together.
"""

from .auth import AuthSettings, LDAPSettings, OAuthSettings
from .clients import DomainSettings, FurtherCertificate, LimitSettings, ListenSettings, ProxySettings, TLSSettings
from .config import Config
from .mailboxes import IMAPSettings, POP3Settings, QuotaSettings, StoreSettings
from .sending import DNSSettings, QueueSettings, RelaySettings
from .smtp import SMTPSettings, SubmissionSettings

__all__ = [
    "AuthSettings",
    "Config",
    "DNSSettings",
    "DomainSettings",
    "FurtherCertificate",
    "IMAPSettings",
    "LDAPSettings",
    "LimitSettings",
    "ListenSettings",
    "OAuthSettings",
    "POP3Settings",
    "ProxySettings",
    "QueueSettings",
    "QuotaSettings",
    "RelaySettings",
    "SMTPSettings",
    "StoreSettings",
    "SubmissionSettings",
    "TLSSettings",
]

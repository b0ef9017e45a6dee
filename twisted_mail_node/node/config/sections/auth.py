"""How clients prove who they are, and where that is known: [auth], [auth.ldap], [auth.oauth]."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ....mail.scram import LEAST_ITERATIONS, MOST_ITERATIONS
from ..values import Count, Flag, KeySetPlace, LDAPUri, OptionalFile, Seconds, Size, Wait, WebAddress
from .table import Table

SignatureName = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Those by a key that the verifier does not have. Source: RFC 7518 §3.1, RFC 8037."""
MechanismName = Literal[
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-1",
    "EXTERNAL",
    "OAUTHBEARER",
    "XOAUTH2",
    "PLAIN",
    "LOGIN",
]


class AuthSettings(Table):
    """[auth]: how clients prove who they are."""

    plaintext: Literal["never", "loopback", "always"] = Field(
        default="loopback", description="Where passwords may come without TLS."
    )
    mechanisms: tuple[MechanismName, ...] = Field(
        default=("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"),
        min_length=1,
        description="SASL mechanisms, in the order in which they are told; each only where it is safe and can be "
        "checked.",
    )
    scram: tuple[Literal["sha-256", "sha-1"], ...] = Field(
        default=(), description="SCRAM verifiers kept beside the argon2id hash; weaker than it, if they are stolen."
    )
    scram_iterations: Annotated[Count, Field(ge=LEAST_ITERATIONS, le=MOST_ITERATIONS)] = Field(
        default=600_000, description="PBKDF2's for a new verifier (RFC 7677: 4096 or more; OWASP: 600,000)."
    )
    passwd_file: OptionalFile = Field(
        default=None, description="Lines NAME:HASH of further users, read again when it changes; empty: none."
    )
    ldap: LDAPSettings | None = Field(default=None, description="An LDAP server's users; absent: none.")
    oauth: OAuthSettings | None = Field(default=None, description="Bearer tokens; absent: none.")
    remember: Seconds = Field(default=600.0, description="How long a verified password is known again without hashing.")
    hash_memory: Size = Field(default=19 * 1024 * 1024, description="argon2id: memory for a hash.")
    hash_passes: Count = Field(default=2, description="argon2id: passes over the memory.")
    hash_lanes: Count = Field(default=1, description="argon2id: parallel lanes.")
    hashes_at_once: Count = Field(default=2, description="Passwords hashed at one time, each in a thread.")


class LDAPSettings(Table):
    """[auth.ldap]: users whom an LDAP server knows. Without this table none is asked."""

    uri: Annotated[tuple[LDAPUri, ...], Field(min_length=1)] = Field(
        description="Servers, asked in this order: ldaps://host, ldap://host:port or ldapi://%2Fpath%2Fof%2Fsocket."
    )
    starttls: Flag = Field(default=True, description="For ldap: whether TLS begins before anything is asked.")
    trusted_certificates: OptionalFile = Field(
        default=None, description="PEM file of those who may sign the server's certificate; empty: the system's."
    )
    base: str = Field(default="", description="Where the search for a user's entry begins.")
    filter: str = Field(
        default="(mail={user})", description="Which entry it is; {user} is the address, {local} and {domain} its parts."
    )
    bind_dn: str = Field(
        default="", description="The entry's name made of the user's, where none has to be searched for."
    )
    service_dn: str = Field(default="", description="As whom to search; empty: nobody.")
    service_password: SecretStr = Field(default=SecretStr(""), description="Of that one.")
    remember: Wait = Field(default=60.0, description="For how long it is known who exists.")
    timeout: Wait = Field(default=10.0, description="For an answer, a connection made and TLS begun.")
    connections: Count = Field(default=8, description="Connections at a time, kept for the next question.")


class OAuthSettings(Table):
    """[auth.oauth]: bearer tokens. Without this table none is taken."""

    issuer: str = Field(default="", description="Whose tokens are believed, as it stands in them.")
    audience: tuple[str, ...] = Field(default=(), description="For whom a token may be; one of them has to be in it.")
    jwks: KeySetPlace = Field(default="", description="The issuer's keys, for tokens that are a JWT: address or file.")
    algorithms: Annotated[tuple[SignatureName, ...], Field(min_length=1)] = Field(
        default=("RS256", "PS256", "ES256", "EdDSA"), description="Signatures that are believed."
    )
    clock_skew: Seconds = Field(default=60.0, description="By how much the issuer's clock may differ from ours.")
    introspection: WebAddress = Field(default="", description="Where all other tokens are asked about (RFC 7662).")
    client_id: str = Field(default="", description="As whom to ask there.")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Of that one.")
    trusted_certificates: OptionalFile = Field(
        default=None, description="PEM file of those who may sign these servers' certificates; empty: the system's."
    )
    claim: str = Field(default="email", min_length=1, description="What in a token is the account's name.")
    scope: str = Field(default="", description="Scopes that a token needs, with blanks between.")
    configuration_url: WebAddress = Field(
        default="", description="Told to clients: where the issuer describes itself (OpenID Connect Discovery)."
    )
    remember: Seconds = Field(default=300.0, description="For how long a token is believed without a second look.")
    timeout: Wait = Field(default=10.0, description="For an answer of these servers.")

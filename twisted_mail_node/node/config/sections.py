"""
The tables of the configuration: every setting with its kind, default and meaning.

`etc/mailnode.toml` shows the same to the operator; a test holds the two equal. A new setting goes into both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ...mail.envelope import Service
from ...mail.scram import LEAST_ITERATIONS, MOST_ITERATIONS
from ...mail.special_use import USE_OF_NAME
from .endpoint import split_endpoint
from .values import (
    AccountName,
    Count,
    EndpointText,
    FilePath,
    Flag,
    HostName,
    KeySetPlace,
    LDAPUri,
    Limit,
    MailboxName,
    NameServer,
    NetworkText,
    OptionalFile,
    Port,
    Seconds,
    Size,
    SmartHost,
    Wait,
    WebAddress,
)

ServiceName = Literal["smtp", "submission", "lmtp", "pop3", "imap"]
SignatureName = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Those by a key that the verifier does not have. Source: RFC 7518 §3.1, RFC 8037."""
TLSMode = Literal["none", "starttls", "implicit"]
TLSPolicy = Literal["intermediate", "modern"]
AuthMode = Literal["off", "optional", "required"]
Audience = Literal["nobody", "accounts", "everyone"]
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


class Table(BaseModel):
    """What all tables have in common: immutable, no unknown settings, defaults checked like any value."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


class DomainSettings(Table):
    """[[domain]]: a domain whose mail is at home here."""

    name: HostName = Field(description="The domain.")


class ListenSettings(Table):
    """[[listen]]: one place where clients are served."""

    service: ServiceName = Field(description="What is spoken there.")
    endpoint: EndpointText = Field(description="A Twisted endpoint string; tcp: unix: systemd: haproxy: ssl:")
    tls: TLSMode | None = Field(
        default=None,
        description='Default: "starttls" where a certificate is at hand and the service is not lmtp, else "none".',
    )
    auth: AuthMode | None = Field(
        default=None, description='For smtp and submission. Default: smtp "off", submission "required".'
    )


class FurtherCertificate(Table):
    """[[tls.further]]: another certificate: for other names, or with another kind of key for the same."""

    certificate: FilePath = Field(description="As in [tls].")
    private_key: FilePath = Field(description="As in [tls].")


class TLSSettings(Table):
    """[tls]: the certificates, and what is spoken. Without this table there is no TLS."""

    certificate: FilePath = Field(description="PEM file: the certificate, then those that lead to its root.")
    private_key: FilePath = Field(description="PEM file: the key, without a passphrase.")
    policy: TLSPolicy = Field(
        default="intermediate", description="Versions and ciphers, as Mozilla names them; modern: TLS 1.3 alone."
    )
    client_authorities: OptionalFile = Field(
        default=None,
        description="PEM file of the authorities that users' certificates come from; empty: none asked for.",
    )
    client_revocations: OptionalFile = Field(
        default=None, description="PEM file of these authorities' revocation lists; empty: none are asked."
    )
    further: tuple[FurtherCertificate, ...] = Field(
        default=(), description="Chosen by the name that the client asks for; the first is for any other."
    )


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


class DNSSettings(Table):
    """[dns]: who is asked for MX and addresses."""

    servers: tuple[NameServer, ...] = Field(
        default=(), description="IP addresses, port 53 unless told. Empty: the system's."
    )


class StoreSettings(Table):
    """[store]: where mail, users and the queue are kept."""

    kind: Literal["memory", "sqlite", "postgres"] = Field(
        default="sqlite",
        description="sqlite: a file in the state folder; postgres: a server, which several nodes may share; memory "
        "forgets all when the node stops.",
    )
    dsn: SecretStr = Field(default=SecretStr(""), description="For postgres: a connection string of libpq.")
    remembered: Annotated[Size, Field(ge=1)] = Field(
        default=32 * 1024 * 1024,
        description="How much is remembered of what is computed for an application's own store.",
    )
    bodies: Literal["database", "maildir"] = Field(
        default="database",
        description="Where messages of mailboxes are: in the database, or files that other programs see as well.",
    )
    maildir: Path = Field(
        default=Path("maildir"), description="For maildir: the folder of all accounts; relative to the state folder."
    )
    maildir_group: Flag = Field(
        default=False, description="For maildir: whether the group of the files may read and write them too."
    )


class SMTPSettings(Table):
    """[smtp]: what is taken from other nodes and from clients."""

    accept_own_senders: Flag = Field(
        default=True, description="Whether service smtp takes mail with a sender of our own domains without AUTH."
    )
    bare_newlines: Literal["refuse", "normalise"] = Field(
        default="refuse",
        description="For service smtp and lmtp: what is done with a bare CR or LF in a message.",
    )
    greeting_delay: Seconds = Field(
        default=2.0,
        description="For service smtp: how long a stranger waits for the greeting; who speaks meanwhile is refused "
        "(postscreen_greet_wait of Postfix under stress).",
    )
    hello_timeout: Wait = Field(
        default=300.0, description="Time until a client has said hello; idle_timeout, where that is shorter."
    )
    idle_timeout: Wait = Field(
        default=300.0,
        description="Time for each further command (RFC 5321 §4.5.3.2.7: 5 min); then the client is left.",
    )
    content_timeout: Wait = Field(
        default=300.0, description="The longest silence within a message (smtpd_timeout of Postfix)."
    )
    min_content_rate: Size = Field(
        default=500,
        description="Octets a second that a message has to come in once content_timeout has passed; 0 for any "
        "(smtpd_min_data_rate of Postfix).",
    )
    max_recipients: Count = Field(default=1000, description="Recipients in one transaction.")
    max_recipient_domains: Limit = Field(
        default=0, description="Domains of recipients in one transaction (RFC 9422 §4.3); 0 for any number."
    )
    max_refused_recipients: Count = Field(
        default=100, description="Unknown recipients since the last accepted message before the connection is closed."
    )
    max_messages: Count = Field(
        default=1000, description="Messages in one connection (smtp_accept_max_per_connection of Exim)."
    )
    max_commands: Count = Field(default=10_000, description="Commands since the last accepted message.")
    max_idle_commands: Count = Field(
        default=100,
        description="The same for NOOP, RSET, VRFY, EXPN, HELP and further EHLO (smtpd_junk_command_limit of Postfix).",
    )
    max_errors: Count = Field(
        default=20,
        description="Mistakes since the last accepted message before the connection is closed "
        "(smtpd_hard_error_limit of Postfix).",
    )
    errors_before_delay: Limit = Field(
        default=10, description="Mistakes that are answered at once (smtpd_soft_error_limit of Postfix)."
    )
    error_delay: Seconds = Field(
        default=1.0,
        description="By how much longer each further answer is held back, 30 s at most "
        "(smtpd_error_sleep_time of Postfix).",
    )
    withheld_extensions: tuple[Literal["SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN"], ...] = Field(
        default=(),
        description="What is not offered, for clients that are not up to it (smtpd_discard_ehlo_keywords of Postfix).",
    )
    verify: Audience = Field(default="nobody", description="Whom VRFY tells whether an address exists (RFC 5321 §7.3).")
    expand: Audience = Field(default="nobody", description="Whom EXPN tells where an address leads.")
    trusted_for_xclient: tuple[NetworkText, ...] = Field(
        default=(), description="Who may put another client in its place by XCLIENT: a proxy of SMTP in front."
    )
    trusted_for_xforward: tuple[NetworkText, ...] = Field(
        default=(), description="Who may tell by XFORWARD whom it has a message from: a filter in front."
    )
    max_hops: Count = Field(
        default=100,
        description="Received fields after which a message is taken to be in a loop (RFC 5321: 100 or more).",
    )


class SubmissionSettings(Table):
    """[submission]: what accounts may send, wherever they log in to send."""

    own_from: Flag = Field(
        default=True,
        description="Whether each address of the header's From and Sender has to be one that the account may send as.",
    )
    bare_newlines: Literal["refuse", "normalise"] = Field(
        default="normalise",
        description="For service submission: what is done with a bare CR or LF in a message (RFC 6409 §8 lets it be "
        "mended; smtpd_forbid_bare_newline of Postfix).",
    )
    messages_per_account: Limit = Field(
        default=1000, description="Messages of one account in `span`; 0 for any number (mox: 1000 a day)."
    )
    recipients_per_account: Limit = Field(
        default=5000, description="Recipients of one account in `span`; 0 for any number."
    )
    span: Wait = Field(default=86400.0, description="The time in which these are counted.")
    unlimited_accounts: tuple[AccountName, ...] = Field(
        default=(), description="Accounts that may send any number of messages: of a newsletter, say."
    )


class RelaySettings(Table):
    """[relay]: how mail is sent to other nodes."""

    port: Port = Field(default=25, description="Where other nodes listen.")
    smarthost: SmartHost = Field(default="", description='"host:port" that takes all outgoing mail; "": find the MX.')
    smarthost_tls: Literal["none", "may", "encrypt", "verify"] = Field(
        default="verify", description="TLS with the smarthost; verify checks its certificate."
    )
    trusted_certificates: OptionalFile = Field(
        default=None, description="PEM file of the authorities that verify trusts; empty: the system's."
    )
    smarthost_username: str = Field(default="", description="For AUTH at the smarthost; empty: no AUTH.")
    smarthost_password: SecretStr = Field(default=SecretStr(""), description="For AUTH at the smarthost.")
    ignored_extensions: tuple[Literal["PIPELINING", "SIZE", "CHUNKING", "DSN"], ...] = Field(
        default=(), description="What other hosts offer and is not made use of, where one does not keep its promise."
    )


class QueueSettings(Table):
    """[queue]: how long outgoing mail is tried, and how much at once."""

    give_up_after: Seconds = Field(
        default=432000.0, description="Age at which a message that could not be sent is returned."
    )
    retry_after: tuple[Wait, ...] = Field(
        default=(60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0),
        description="Waits after the first failures, one after the other.",
    )
    then_every: Wait = Field(default=28800.0, description="The wait after each further failure.")
    connections_per_destination: Count = Field(default=5, description="Connections to one destination at a time.")
    connections: Count = Field(default=200, description="Outgoing connections in all.")
    lease: Wait = Field(
        default=300.0, description="For how long a node has what it is about to send; a dead node's is then another's."
    )


class POP3Settings(Table):
    """[pop3]"""

    idle_timeout: Annotated[Seconds, Field(ge=600)] = Field(
        default=600.0, description="A client that says nothing this long is left (RFC 1939: 10 min)."
    )
    login_delay: Seconds = Field(
        default=0.0, description="What has to pass between two logins to one maildrop (RFC 2449); 0 s is nothing."
    )
    utf8_headers: Literal["downgrade", "refuse"] = Field(
        default="downgrade",
        description="What clients without UTF8 get of mail whose header is beyond ASCII (RFC 6856).",
    )
    language: Literal["en", "de", "ja"] = Field(
        default="en", description='The language that a client gets which asks for "*" (RFC 6856).'
    )
    apop: Flag = Field(
        default=False, description="Whether APOP is offered, where an application's checker has plain secrets."
    )


class IMAPSettings(Table):
    """[imap]"""

    delimiter: Literal["/", "."] = Field(default="/", description="What stands between the levels of a mailbox name.")
    new_mailboxes: tuple[MailboxName, ...] = Field(
        default=("Drafts", "Sent", "Junk", "Trash", "Archive"),
        description="Made with each new account, beside INBOX; those named so, with their SPECIAL-USE.",
    )
    idle_timeout: Annotated[Seconds, Field(ge=1800)] = Field(
        default=1860.0, description="A client that says nothing this long is left (RFC 3501: 30 min)."
    )


class LimitSettings(Table):
    """[limits]: what anyone may use."""

    max_message_size: Annotated[Size, Field(ge=1)] = Field(
        default=50 * 1024 * 1024, description="The largest message, told in SIZE."
    )
    connections: Count = Field(default=2000, description="Clients at a time, over all listeners.")
    connections_per_address: Count = Field(default=50, description="Clients at a time from one address.")
    connection_rate: Limit = Field(
        default=0,
        description="Connections from one address in rate_span to service smtp; 0 for any number "
        "(smtpd_client_connection_rate_limit of Postfix).",
    )
    message_rate: Limit = Field(
        default=0,
        description="Messages from one address in rate_span to service smtp; 0 for any number "
        "(smtpd_client_message_rate_limit of Postfix).",
    )
    rate_span: Wait = Field(
        default=60.0, description="The time in which these are counted (anvil_rate_time_unit of Postfix)."
    )
    trusted_networks: tuple[NetworkText, ...] = Field(
        default=("127.0.0.0/8", "::1"),  # type: ignore[arg-type]  # read like any value: defaults are validated
        description="Exempt from per-address counts, delays, and counts of messages and commands; never from memory "
        "bounds.",
    )


class ProxySettings(Table):
    """[proxy]: haproxy: endpoints."""

    trusted: tuple[NetworkText, ...] = Field(
        default=("127.0.0.0/8", "::1"),  # type: ignore[arg-type]  # as above
        description="Who may connect to haproxy: endpoints; the PROXY header of anyone else is not believed.",
    )


def _default_listen() -> tuple[ListenSettings, ...]:
    def at(service: ServiceName, port: int, tls: TLSMode | None = None) -> ListenSettings:
        return ListenSettings(service=service, endpoint=f"tcp:{port}:interface=127.0.0.1", tls=tls)

    return (
        at("smtp", 2525),
        at("submission", 2587),
        at("submission", 2465, "implicit"),
        at("pop3", 2110),
        at("pop3", 2995, "implicit"),
        at("imap", 2143),
        at("imap", 2993, "implicit"),
        ListenSettings(service="lmtp", endpoint="unix:{state_dir}/lmtp.sock:mode=600:lockfile=0"),
    )


class Config(Table):
    """
    The configuration as a whole. Paths are absolute.

    `without_file` is no setting: it is true for the start without a configuration file, in which the node makes
    a certificate and a first account for itself.
    """

    hostname: HostName = Field(
        default="localhost", description="The name of this node in greetings, trace headers, EHLO."
    )
    state_dir: FilePath = Field(
        default=Path("mailnode-state"), description="The folder for all that the node keeps; made with mode 0700."
    )
    domain: Annotated[tuple[DomainSettings, ...], Field(min_length=1)] = Field(
        default=(DomainSettings(name="localhost"),),
        description="The domains at home here; the first is for logins without @.",
    )
    listen: Annotated[tuple[ListenSettings, ...], Field(min_length=1)] = Field(
        default_factory=_default_listen, description="Where clients are served."
    )
    tls: TLSSettings | None = Field(default=None, description="The certificate; absent: no TLS.")
    auth: AuthSettings = Field(default=AuthSettings(), description="How clients prove who they are.")
    dns: DNSSettings = Field(default=DNSSettings(), description="Who is asked for MX and addresses.")
    store: StoreSettings = Field(default=StoreSettings(), description="Where mail is kept.")
    smtp: SMTPSettings = Field(default=SMTPSettings(), description="What is taken in.")
    submission: SubmissionSettings = Field(default=SubmissionSettings(), description="What accounts may send.")
    relay: RelaySettings = Field(default=RelaySettings(), description="How mail is sent on.")
    queue: QueueSettings = Field(default=QueueSettings(), description="How long and how often sending is tried.")
    pop3: POP3Settings = Field(default=POP3Settings(), description="POP3.")
    imap: IMAPSettings = Field(default=IMAPSettings(), description="IMAP.")
    limits: LimitSettings = Field(default=LimitSettings(), description="What anyone may use.")
    proxy: ProxySettings = Field(default=ProxySettings(), description="Who may stand in front of haproxy: endpoints.")
    without_file: bool = Field(default=False, exclude=True)

    @property
    def has_certificate(self) -> bool:
        """Whether TLS can be offered."""
        return self.tls is not None or self.without_file

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains' names; the first is for logins without @."""
        return tuple(domain.name for domain in self.domain)

    @property
    def new_mailboxes(self) -> tuple[tuple[str, str | None], ...]:
        """(name, special use) of the mailboxes of a new account."""
        return tuple((name, USE_OF_NAME.get(name)) for name in self.imap.new_mailboxes)

    def listeners(self) -> tuple[ListenSettings, ...]:
        """
        The listeners with nothing left open: tls and auth are told for each.

        The default listeners do without TLS where there is no certificate: those with implicit TLS are left out.
        """
        given = "listen" in self.model_fields_set
        return tuple(
            self._settled(listen) for listen in self.listen if given or self.has_certificate or listen.tls != "implicit"
        )

    def _settled(self, listen: ListenSettings) -> ListenSettings:
        layered = self.has_certificate and listen.service != "lmtp" and split_endpoint(listen.endpoint).kind != "ssl"
        tls: TLSMode = listen.tls or ("starttls" if layered else "none")
        auth: AuthMode = listen.auth or (
            "off" if Service(listen.service) in (Service.SMTP, Service.LMTP) else "required"
        )
        return listen.model_copy(update={"tls": tls, "auth": auth})

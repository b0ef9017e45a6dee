"""What is taken in: [smtp], [submission]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..values import AccountName, Count, Flag, Limit, NetworkText, Seconds, Size, Wait
from .table import Table

Audience = Literal["nobody", "accounts", "everyone"]


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

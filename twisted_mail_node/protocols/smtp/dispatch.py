"""Which function answers which event of the engine. A new command is a file here, and a line."""

from __future__ import annotations

from ...wire.smtp import commands
from . import auth, content, hello, help, mail, rcpt, small, starttls, verify, xclient
from .session import EventAnswer

EVENTS: dict[type[commands.Event], EventAnswer] = {
    commands.Auth: auth.answer,
    commands.AuthLine: auth.answer_line,
    commands.Chunk: content.begin_chunk,
    commands.ChunkEnd: content.answer_chunk,
    commands.Connected: hello.greet,
    commands.Content: content.take_content,
    commands.ContentEnd: content.answer_end,
    commands.Data: content.answer_data,
    commands.Expn: verify.answer_expn,
    commands.Hello: hello.answer,
    commands.Help: help.answer,
    commands.Mail: mail.answer,
    commands.Mistake: small.answer_mistake,
    commands.Noop: small.answer_noop,
    commands.Quit: small.answer_quit,
    commands.Rcpt: rcpt.answer,
    commands.Rset: small.answer_rset,
    commands.StartTLS: starttls.answer,
    commands.Vrfy: verify.answer_vrfy,
    commands.XClient: xclient.answer_xclient,
    commands.XForward: xclient.answer_xforward,
}

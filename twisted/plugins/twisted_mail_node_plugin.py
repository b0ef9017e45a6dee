"""Lets twistd find the node: `twistd mailnode`."""

from twisted.application.service import ServiceMaker

mailnode = ServiceMaker(
    "twisted_mail_node", "twisted_mail_node.tap", "A mail node: SMTP, LMTP, POP3 and IMAP.", "mailnode"
)

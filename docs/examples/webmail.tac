# A webmail product's process with a mail node in it: twistd -ny webmail.tac, in a folder with mailnode.toml and
# passwords, a line "name:password" for each user. docs/backends.md explains it.

import sys
from pathlib import Path

from twisted.application.service import Application
from twisted.cred.checkers import FilePasswordDB
from twisted.internet import reactor

from twisted_mail_node import Storage, assemble, load_config

sys.path.insert(0, str(Path(__file__).parent))

from webmail_store import WebmailStore

users = [line.partition(":")[0] for line in Path("passwords").read_text().splitlines()]
application = Application("webmail")
node = assemble(
    load_config("mailnode.toml"),
    reactor=reactor,
    storage=Storage(WebmailStore(Path("webmail.sqlite"), reactor=reactor, users=users)),
    checkers=[FilePasswordDB("passwords")],
)
node.setServiceParent(application)

"""
The tables, as data, version after version.

Decides what is kept and under which keys: everything of an account begins with the account's number. Does not decide
how a database is brought to the newest version (each engine's `migration`), or what is written when. Written as
SQLite has it; `postgres.dialect` says what becomes of it there.

Account and mailbox numbers are never given twice, so what a removed mailbox or account leaves behind can be swept
away in slices later: nobody will ask for it again.
"""

from __future__ import annotations

_VERSION_1 = (
    # One row: the numbers given last. Kept apart from the tables, since a number must not come back.
    """CREATE TABLE numbering (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        account INTEGER NOT NULL, body INTEGER NOT NULL, email INTEGER NOT NULL, item INTEGER NOT NULL,
        uid_validity INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO numbering VALUES (1, 0, 0, 0, 0, 0)",
    # modseq: the counter of the account's change log.
    """CREATE TABLE account (
        account INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        modseq INTEGER NOT NULL,
        last_mailbox INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE mailbox (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL,
        name TEXT NOT NULL, uid_validity INTEGER NOT NULL, special_use TEXT,
        uid_next INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL, deleted INTEGER NOT NULL,
        size INTEGER NOT NULL, highest_modseq INTEGER NOT NULL, recent_after INTEGER NOT NULL,
        PRIMARY KEY (account, mailbox)
    ) STRICT, WITHOUT ROWID""",
    "CREATE UNIQUE INDEX mailbox_name ON mailbox (account, name)",
    "CREATE TABLE subscription (account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, name)) "
    "STRICT, WITHOUT ROWID",
    # content is null for a large body: it is in chunks.
    """CREATE TABLE body (
        body INTEGER PRIMARY KEY,
        size INTEGER NOT NULL, header_size INTEGER NOT NULL, eight_bit INTEGER NOT NULL,
        content BLOB
    ) STRICT""",
    """CREATE TABLE chunk (
        body INTEGER NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (body, number)
    ) STRICT, WITHOUT ROWID""",
    # Bodies being received, or received and not committed yet.
    "CREATE TABLE staged (body INTEGER PRIMARY KEY, began REAL NOT NULL) STRICT",
    # Bodies that have lost a user: to be swept unless somebody still needs them.
    "CREATE TABLE orphan (body INTEGER PRIMARY KEY) STRICT",
    # uses: how many entries, expunged ones included, show this email.
    """CREATE TABLE email (
        account INTEGER NOT NULL, email INTEGER NOT NULL,
        body INTEGER NOT NULL, thread INTEGER, uses INTEGER NOT NULL, envelope BLOB, structure BLOB,
        PRIMARY KEY (account, email)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX email_body ON email (body)",
    # born: the modseq at which the entry came; it ascends with the UID. Times are seconds since the epoch.
    """CREATE TABLE entry (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL,
        bits INTEGER NOT NULL, keywords TEXT NOT NULL, modseq INTEGER NOT NULL, born INTEGER NOT NULL,
        date INTEGER NOT NULL, zone INTEGER NOT NULL, saved INTEGER NOT NULL, size INTEGER NOT NULL,
        email INTEGER NOT NULL, guid BLOB NOT NULL, prefix BLOB NOT NULL,
        PRIMARY KEY (account, mailbox, uid)
    ) STRICT, WITHOUT ROWID""",
    # What came is found by walking back from the highest UID; only what changed later needs an index.
    "CREATE INDEX entry_flagged ON entry (account, mailbox, modseq) WHERE modseq <> born",
    "CREATE INDEX entry_unseen ON entry (account, mailbox, uid) WHERE bits & 1 = 0",
    "CREATE INDEX entry_deleted ON entry (account, mailbox, uid) WHERE bits & 8 <> 0",
    "CREATE INDEX entry_keywords ON entry (account, mailbox, keywords) WHERE keywords <> ''",
    # Entries that are gone but may still be read by views that have not been told. The columns of entry come first.
    """CREATE TABLE expunged (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL,
        bits INTEGER NOT NULL, keywords TEXT NOT NULL, modseq INTEGER NOT NULL, born INTEGER NOT NULL,
        date INTEGER NOT NULL, zone INTEGER NOT NULL, saved INTEGER NOT NULL, size INTEGER NOT NULL,
        email INTEGER NOT NULL, guid BLOB NOT NULL, prefix BLOB NOT NULL,
        gone_at INTEGER NOT NULL,
        PRIMARY KEY (account, mailbox, uid)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX expunged_gone ON expunged (gone_at)",
    # The history of expunges in ranges. born_first and born_last: when the first and the last of them had come; 0 where
    # `sweep` has made one range of many, with whatever lives between them.
    """CREATE TABLE vanished (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, born_first INTEGER NOT NULL, born_last INTEGER NOT NULL,
        PRIMARY KEY (account, mailbox, modseq, first)
    ) STRICT, WITHOUT ROWID""",
    # Removed mailboxes, and (mailbox 0) removed accounts, whose rows are still to be swept.
    "CREATE TABLE removed (account INTEGER NOT NULL, mailbox INTEGER NOT NULL, PRIMARY KEY (account, mailbox)) "
    "STRICT, WITHOUT ROWID",
    # Transactions committed lately, so that a second `deliver` of one changes nothing.
    "CREATE TABLE committed (id TEXT PRIMARY KEY, at INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE user (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE alias (source TEXT PRIMARY KEY, targets TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # sender_domain is null for the null reverse-path; lease_owner is '' for an item that waits.
    """CREATE TABLE queue (
        item INTEGER PRIMARY KEY,
        transaction_id TEXT NOT NULL, body INTEGER NOT NULL, body_type TEXT NOT NULL,
        sender_local TEXT, sender_domain TEXT, recipient_local TEXT NOT NULL, recipient_domain TEXT NOT NULL,
        original_local TEXT, original_domain TEXT,
        created REAL NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL,
        lease_owner TEXT NOT NULL, lease_until REAL NOT NULL,
        last_status TEXT, last_reply TEXT NOT NULL, last_host TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX queue_due ON queue (due) WHERE lease_owner = ''",
    "CREATE INDEX queue_domain ON queue (recipient_domain, due) WHERE lease_owner = ''",
    "CREATE INDEX queue_lease ON queue (lease_until) WHERE lease_owner <> ''",
    "CREATE INDEX queue_body ON queue (body)",
    "CREATE TABLE transcript (item INTEGER PRIMARY KEY, dialogue TEXT NOT NULL) STRICT",
)

_VERSION_2 = (
    # Who writes, where several nodes share a database: a row for each connection, which counts its commits, so that
    # one whose outcome was not told can be looked up. at: when the last one was.
    "CREATE TABLE node (name TEXT PRIMARY KEY, commits INTEGER NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    # Where bodies are files in Maildirs: which one an entry's is, `base` and `tail` of its name as it was last known.
    "CREATE TABLE file (account INTEGER NOT NULL, mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, "
    "base BLOB NOT NULL, tail BLOB NOT NULL, PRIMARY KEY (account, mailbox, uid)) STRICT, WITHOUT ROWID",
    "CREATE INDEX file_base ON file (account, base)",
    # A mailbox's folder as it is; `target` is what it is about to become, and empty where it is about to go.
    "CREATE TABLE folder (account INTEGER NOT NULL, mailbox INTEGER NOT NULL, name BLOB, target BLOB, "
    "PRIMARY KEY (account, mailbox)) STRICT, WITHOUT ROWID",
    "CREATE INDEX folder_pending ON folder (account, mailbox) WHERE target IS NOT NULL",
    # Who has a maildrop, where several nodes share a database.
    "CREATE TABLE maildrop (account TEXT PRIMARY KEY, holder TEXT NOT NULL, until REAL NOT NULL) STRICT, WITHOUT ROWID",
    # See `bodies.body_hash`; null for what came with version 1.
    "ALTER TABLE body ADD COLUMN hash BLOB",
    # The mailbox that an item is for (see `placements`); null for one that leaves the node.
    "ALTER TABLE queue ADD COLUMN placement TEXT",
    # Whether the content is in files of Maildirs, one for each entry that shows it.
    "ALTER TABLE body ADD COLUMN in_files INTEGER NOT NULL DEFAULT 0",
)

_VERSION_3 = (
    # What the client asked for (see `options`), with the values of one that asked for nothing. hold_until and
    # deliver_by are seconds since the epoch; notify is null where nothing was asked, and 0 for NEVER.
    "ALTER TABLE queue ADD COLUMN smtputf8 INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE queue ADD COLUMN ret TEXT",
    "ALTER TABLE queue ADD COLUMN envelope_id TEXT",
    "ALTER TABLE queue ADD COLUMN require_tls INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE queue ADD COLUMN hold_until REAL",
    "ALTER TABLE queue ADD COLUMN deliver_by REAL",
    "ALTER TABLE queue ADD COLUMN by_mode TEXT",
    "ALTER TABLE queue ADD COLUMN by_trace INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE queue ADD COLUMN priority INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE queue ADD COLUMN submitter TEXT",
    "ALTER TABLE queue ADD COLUMN notify INTEGER",
    "ALTER TABLE queue ADD COLUMN original TEXT",
    # SCRAM verifiers of the password, with blanks between (see `mail.scram`); null for none.
    "ALTER TABLE user ADD COLUMN scram TEXT",
    # See `mail.app_password`. last_used is null until then.
    """CREATE TABLE app_password (
        name TEXT NOT NULL, label TEXT NOT NULL, digest BLOB NOT NULL, created INTEGER NOT NULL, last_used INTEGER,
        PRIMARY KEY (name, label)
    ) STRICT, WITHOUT ROWID""",
)

_VERSION_4 = (
    # Annotations (see `metadata`). mailbox 0 is the account itself; owner is the user whose own it is, '' for all.
    """CREATE TABLE annotation (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL,
        value BLOB, modseq INTEGER NOT NULL,
        PRIMARY KEY (account, mailbox, owner, name)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX annotation_modseq ON annotation (account, modseq)",
    "CREATE INDEX annotation_owner ON annotation (owner) WHERE owner <> ''",
    # What others may do (see `acl`). identifier as in RFC 4314 §2, rights as letters.
    """CREATE TABLE acl (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, identifier TEXT NOT NULL, rights TEXT NOT NULL,
        PRIMARY KEY (account, mailbox, identifier)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX acl_identifier ON acl (identifier)",
    # The id that clients know; null for what came with an earlier version. Then kept forms (see `mail.message_keys`).
    "ALTER TABLE email ADD COLUMN id TEXT",
    "ALTER TABLE email ADD COLUMN sent INTEGER",
    "ALTER TABLE email ADD COLUMN sort_keys BLOB",
    "ALTER TABLE email ADD COLUMN thread_keys BLOB",
    "ALTER TABLE email ADD COLUMN preview BLOB",
    # What the account holds, the sums of its mailboxes' counters; and what it may, where it is limited by itself: null
    # for any number.
    "ALTER TABLE account ADD COLUMN messages INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN limited INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE account ADD COLUMN size_limit INTEGER",
    "ALTER TABLE account ADD COLUMN messages_limit INTEGER",
    "UPDATE account SET "
    "messages = (SELECT coalesce(sum(m.messages), 0) FROM mailbox m WHERE m.account = account.account), "
    "size = (SELECT coalesce(sum(m.size), 0) FROM mailbox m WHERE m.account = account.account)",
    # What is kept of bodies for searching (see `kept`); it may be emptied, and is filled again. form: of what making it
    # is; another one's counts as missing. head and content are deflated; null where they are too large to be kept.
    """CREATE TABLE search_text (
        body INTEGER PRIMARY KEY,
        form INTEGER NOT NULL, head BLOB, content BLOB
    ) STRICT""",
    # Signatures of the messages of one block of UIDs, a part of their numbers in a row.
    """CREATE TABLE search_block (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, part INTEGER NOT NULL, block INTEGER NOT NULL,
        bits BLOB NOT NULL,
        PRIMARY KEY (account, mailbox, part, block)
    ) STRICT, WITHOUT ROWID""",
    # How far that has come in a mailbox: texts up to the UID `kept`, signatures of the blocks before `sealed`.
    """CREATE TABLE search_progress (
        account INTEGER NOT NULL, mailbox INTEGER NOT NULL, form INTEGER NOT NULL,
        kept INTEGER NOT NULL, sealed INTEGER NOT NULL,
        PRIMARY KEY (account, mailbox)
    ) STRICT, WITHOUT ROWID""",
    # When it was, in seconds since the epoch; null for what came with an earlier version.
    "ALTER TABLE vanished ADD COLUMN at INTEGER",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4)
"""Statements that lead from version n to n + 1, by n. A landed one is never changed: add the next."""

"""`mailnode backup`, `verify`, `restore` and `upgrade` on the store itself."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from twisted_mail_node.cli import main
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.node.blocking import wait_for
from twisted_mail_node.node.config import load_config
from twisted_mail_node.node.storage import make_storage
from twisted_mail_node.store.sql.schema import MIGRATIONS
from twisted_mail_node.store.sql.sqlite.page_checksums import checking_vfs
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

ANN = "ann@a.test"
VERSION_1 = Path(__file__).parents[1] / "store" / "sql" / "schemas" / "version_1.sqlite.gz"


@pytest.fixture
def database(tmp_path):
    return tmp_path / "state" / "mail.sqlite"


@pytest.fixture
def in_store(database):
    """Runs a story with the store, started and stopped for it."""

    def run(story):
        async def with_store(reactor):
            storage = make_storage(load_config(), database, reactor)
            await storage.store.start()
            try:
                return await story(storage.store)
            finally:
                await storage.store.stop()

        return wait_for(with_store)

    return run


@pytest.fixture
def filled(mailnode, in_store):
    """`mailnode`, with a user who has three messages, and one in the queue."""
    mailnode("user", "add", ANN, "--password-stdin", stdin="secret\n")
    in_store(deliver)
    return mailnode


async def deliver(store):
    for number in range(3):
        parts = (place(ANN), outgoing("eve@far.test")) if number == 0 else (place(ANN),)
        await store.deliver(transaction(*parts, bodies=(body(message(f"Message {number} " + "n" * 9_000)),)))


async def mailboxes(store):
    """(name, UIDVALIDITY, next UID, modseq, texts) of each of Ann's."""
    account = await store.account(ANN)
    found = []
    for info in await account.mailboxes():
        mailbox = await account.mailbox(info.name)
        status = await mailbox.status()
        texts = []
        for uid in await mailbox.uids():
            opened = await mailbox.open_body(uid)
            texts.append(await opened.read(0, opened.size))
            opened.close()
        found.append((info.name, status.uid_validity, status.uid_next, texts))
    return found


def change(path, statement):
    connection = apsw.Connection(str(path), vfs=checking_vfs())
    connection.execute(statement)
    connection.close()


# -- backup -----------------------------------------------------------------------------------------------------------


def test_a_backup_is_restored_where_there_is_nothing(filled, in_store, tmp_path, database):
    before = in_store(mailboxes)
    filled("user", "app-password", "add", ANN, "phone")
    made = filled.json("backup", "copy.sqlite")
    assert made["target"] == str(tmp_path / "copy.sqlite")
    assert made["octets"] == (tmp_path / "copy.sqlite").stat().st_size
    database.unlink()
    restored = filled.json("restore", "copy.sqlite")
    assert restored == {"store": str(database), "kept": None, "accounts": 1, "mailboxes": len(before), "items": 1}
    after = in_store(mailboxes)
    assert [(name, texts) for name, _, _, texts in after] == [(name, texts) for name, _, _, texts in before]
    assert filled.json("user", "list") == [{"name": ANN, "scram": False}]
    assert [each["label"] for each in filled.json("user", "app-password", "list", ANN)] == ["phone"]
    assert filled("verify") == "all is well\n"


def test_a_backup_into_a_folder_is_named_after_the_time(filled, tmp_path):
    (tmp_path / "backups").mkdir()
    filled("backup", "backups")
    (made,) = (tmp_path / "backups").iterdir()
    assert made.name.startswith("mail-")
    assert made.suffix == ".sqlite"


def test_a_file_is_not_overwritten_by_a_backup(filled, tmp_path):
    (tmp_path / "copy.sqlite").write_bytes(b"precious")
    assert "is there already; name another file" in filled("backup", "copy.sqlite", status=1)


@pytest.mark.parametrize(
    "command", [("backup", "x"), ("restore", "mailnode.toml"), ("upgrade",), ("verify", "--repair")]
)
def test_with_postgresql_its_own_means_are_told(mailnode, tmp_path, command):
    with (tmp_path / "mailnode.toml").open("a") as config:
        config.write('store = { kind = "postgres", dsn = "dbname=mail" }\n')
    told = mailnode(*command, status=1)
    assert "pg_dump --format=custom --file=mail.dump" in told
    assert "pg_restore --clean" in told


# -- restore ----------------------------------------------------------------------------------------------------------


def test_what_came_after_the_backup_leaves_no_number_to_be_given_twice(filled, in_store):
    filled("backup", "copy.sqlite")

    async def later(store):
        account = await store.account(ANN)
        inbox = await account.mailbox("INBOX")
        await deliver(store)
        await inbox.expunge(UIDSet.span(1, 1), only_deleted=False)
        made = await account.create("Later")
        placed = await store.deliver(transaction(place(ANN)))
        return made, placed.placed[0], await inbox.status(), await numbers(store)

    made, placed, status, used = in_store(later)
    filled("restore", "copy.sqlite", "--replace")

    async def again(store):
        account = await store.account(ANN)
        made = await account.create("Later")
        placed = await store.deliver(transaction(place(ANN)))
        return made, placed.placed[0], await (await account.mailbox("INBOX")).status(), await numbers(store)

    new_made, new_placed, new_status, new = in_store(again)
    assert new_made.mailbox_id > made.mailbox_id
    assert new_made.uid_validity > max(made.uid_validity, placed.uid_validity)
    assert new_placed.uid_validity > placed.uid_validity
    assert new_status.highest_modseq > status.highest_modseq
    assert new > used


async def numbers(store):
    """The highest number that an email has."""
    return await store._machinery.readers.read(lambda connection: connection.one("SELECT max(email) FROM email")[0])


def test_what_was_there_is_kept_aside_and_is_a_store_still(filled, in_store, database):
    filled("backup", "copy.sqlite")
    in_store(deliver)
    kept = Path(filled.json("restore", "copy.sqlite", "--replace")["kept"])
    assert len(dict_of(in_store(mailboxes))["INBOX"]) == 3
    filled("restore", str(kept), "--replace", "--unchanged")
    assert len(dict_of(in_store(mailboxes))["INBOX"]) == 6


def dict_of(found):
    return {name: texts for name, _, _, texts in found}


def test_what_is_in_the_log_of_a_file_that_was_in_use_is_restored_with_it(filled, in_store, database, tmp_path):
    async def copy_while_in_use(store):
        await deliver(store)
        for suffix in ("", "-wal"):
            (tmp_path / f"copy.sqlite{suffix}").write_bytes(Path(f"{database}{suffix}").read_bytes())

    in_store(copy_while_in_use)
    database.unlink()
    filled("restore", "copy.sqlite")
    assert len(dict_of(in_store(mailboxes))["INBOX"]) == 6


def test_a_store_that_is_there_is_not_replaced_unasked(filled, in_store):
    filled("backup", "copy.sqlite")
    before = in_store(mailboxes)
    assert "--replace puts the backup in its place" in filled("restore", "copy.sqlite", status=1)
    assert in_store(mailboxes) == before


def test_after_a_move_clients_go_on_with_what_they_have(filled, in_store, database):
    before = in_store(mailboxes)
    filled("backup", "copy.sqlite")
    database.unlink()
    filled("restore", "copy.sqlite", "--unchanged")
    assert in_store(mailboxes) == before


def test_a_damaged_backup_is_refused_and_changes_nothing(filled, in_store, tmp_path):
    before = in_store(mailboxes)
    filled("backup", "copy.sqlite")
    content = bytearray((tmp_path / "copy.sqlite").read_bytes())
    content[content.index(b"n" * 3_000) + 1_500] ^= 1
    (tmp_path / "copy.sqlite").write_bytes(content)
    assert "is damaged" in filled("restore", "copy.sqlite", "--replace", status=1)
    assert in_store(mailboxes) == before


def test_a_backup_that_lacks_mail_is_refused_unless_wanted(filled, in_store, tmp_path, database):
    filled("backup", "copy.sqlite")
    change(tmp_path / "copy.sqlite", "DELETE FROM body WHERE body = 2")
    told = filled("restore", "copy.sqlite", "--replace", status=1)
    assert "the backup is not whole" in told
    assert f"{ANN} INBOX UID 2: what was received is gone" in told
    assert [path.name for path in database.parent.glob("*restoring*")] == []
    filled("restore", "copy.sqlite", "--replace", "--damaged-too")


def test_a_file_of_something_else_is_no_backup(filled):
    assert "is not an SQLite database" in filled("restore", "mailnode.toml", "--replace", status=1)


# -- verify -----------------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_told_with_its_remedy(filled, database):
    change(database, "UPDATE mailbox SET unseen = 7 WHERE name = 'INBOX'")
    (finding,) = found()["findings"]
    assert finding == {
        "kind": "wrong_counter",
        "place": f"{ANN} INBOX",
        "detail": "unseen is 7, counted 3",
        "meaning": "a counter of a mailbox or an account is not what its rows say",
        "remedy": "`mailnode verify --repair`",
    }


def found():
    """What `mailnode verify --json` tells where something is wrong."""
    done = CliRunner().invoke(main, ("verify", "--json"), catch_exceptions=False)
    assert done.exit_code == 1
    return json.loads(done.stdout)


def test_an_account_that_is_not_there_is_refused(filled):
    assert "there is no account bob@a.test" in filled("verify", "--account", "bob@a.test", status=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE mailbox SET messages = 1, unseen = 0, size = 5, uid_next = 2 WHERE name = 'INBOX'",
        "UPDATE mailbox SET highest_modseq = 0 WHERE name = 'INBOX'",
        "UPDATE email SET uses = 3 WHERE email = 2",
        "UPDATE body SET hash = NULL",
        "INSERT INTO body VALUES (7000, 1, 1, 0, x'61', NULL, 0); UPDATE numbering SET body = 7000",
    ],
)
def test_what_loses_nothing_is_mended(filled, in_store, database, statement):
    before = in_store(mailboxes)
    change(database, statement)
    assert found()["count"] >= 1
    assert "mended" in filled("verify", "--repair")
    assert filled("verify") == "all is well\n"
    assert in_store(mailboxes) == before


def test_what_is_lost_is_not_mended(filled, database):
    change(database, "DELETE FROM body WHERE body = 2")
    filled("verify", "--repair", status=1)
    filled("verify", status=1)


# -- upgrade ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def old(mailnode, database):
    """`mailnode`, with a store of version 1."""
    database.parent.mkdir(0o700)
    database.write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    return mailnode


def test_an_upgrade_is_tried_on_a_copy(old, database):
    before = database.read_bytes()
    told = old.json("upgrade", "--dry-run")
    assert (told["before"], told["after"], told["findings"]) == (1, len(MIGRATIONS), [])
    assert database.read_bytes() == before
    assert {path.name for path in database.parent.iterdir()} <= {"mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm"}


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_no_upgrade_is_tried_of_a_store_that_is_damaged(filled, database, options):
    content = bytearray(database.read_bytes())
    content[200] ^= 1  # of the first page, whose checksum does not fit any more
    database.write_bytes(content)
    assert "is damaged" in filled("upgrade", *options, status=1)


def test_an_upgrade_keeps_the_file_as_it_was(old, database):
    assert f"the store was brought from schema 1 to {len(MIGRATIONS)} in" in old("upgrade")
    assert database.with_name(f"mail.sqlite.before-{len(MIGRATIONS)}").exists()
    assert "nothing to do" in old("upgrade")


def test_an_upgrade_without_a_copy(old, database):
    old("upgrade", "--no-copy")
    assert not list(database.parent.glob("*before*"))


def test_a_backup_of_an_old_version_is_restored(old, in_store, database):
    old("backup", "copy.sqlite")
    old("restore", "copy.sqlite", "--replace")
    names = in_store(accounts)
    assert names == ["ann@example.test", "bob@example.test"]


async def accounts(store):
    return list(await store.accounts())

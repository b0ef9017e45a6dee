"""The operator's commands on the store, as root on a folder of another user."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

import pytest

from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.control.direct import StoreConnection
from twisted_mail_node.node.state import StateFolder, StateFolderInUse

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can act for another user")


@pytest.fixture
def config():
    """A configuration whose state folder belongs to nobody, in a place that nobody can enter."""
    folder = Path(tempfile.mkdtemp(prefix="mailnode.", dir="/tmp"))
    folder.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    (folder / "state").mkdir(0o700)
    os.chown(folder / "state", nobody.pw_uid, nobody.pw_gid)
    yield parse_config({"state_dir": "state", "domain": [{"name": "a.test"}]}, base=folder)
    shutil.rmtree(folder)


def test_what_root_makes_belongs_to_the_folders_owner(config):
    store = StoreConnection(config)
    assert store.perform("user.add", {"name": "alice@a.test", "password": "x"}) == {"name": "alice@a.test"}
    store.close()
    assert os.geteuid() == 0
    assert os.getegid() == 0
    nobody = pwd.getpwnam("nobody").pw_uid
    assert {file.stat().st_uid for file in config.state_dir.iterdir()} == {nobody}


def test_root_is_root_again_where_the_folder_is_in_use(config):
    held = StateFolder(config.state_dir)
    held.open()
    os.chown(config.state_dir / "node.lock", pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(StateFolderInUse):
        StoreConnection(config)
    assert os.geteuid() == 0
    held.close()


def test_the_store_needs_no_server_that_others_are_asked_of(config):
    ldap = {"uri": ["ldaps://127.0.0.1:1"], "base": "dc=a", "trusted_certificates": "none.pem"}
    without = parse_config(
        {"state_dir": "state", "domain": [{"name": "a.test"}], "auth": {"ldap": ldap}}, base=config.state_dir.parent
    )
    store = StoreConnection(without)
    assert store.perform("user.list", {}) == []
    store.close()

"""The state folder: made, locked, given back."""

import json
import os
import stat

import pytest

from twisted_mail_node.node.errors import CannotStart
from twisted_mail_node.node.state import FIRST_ACCOUNT, StateFolder, StateFolderInUse


def test_the_folder_is_made_for_its_owner_alone(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o700
    assert state.is_private()
    state.close()


def test_the_name_of_a_new_folder_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    state = StateFolder(tmp_path / "state")
    state.open()
    state.close()
    assert synced == [str(tmp_path)]


def test_only_one_has_the_folder(tmp_path):
    first, second = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "state")
    first.open()
    with pytest.raises(StateFolderInUse, match=rf"is in use by another node \(process {os.getpid()}\)"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_folder_of_a_failed_first_start_goes_and_an_older_one_stays(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    (state.path / "half-made").write_text("")
    state.discard_if_new()
    assert not state.path.exists()
    state.path.mkdir(0o700)
    state.open()
    state.discard_if_new()
    assert state.path.exists()
    state.open()
    state.close()


def test_a_start_that_finds_the_folder_in_use_discards_nothing(tmp_path):
    holder, late = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "state")
    holder.open()
    with pytest.raises(StateFolderInUse):
        late.open()
    late.discard_if_new()
    assert holder.path.exists()
    holder.close()


@pytest.mark.parametrize("path", ["missing/state", "file/state", "file"])
def test_where_no_folder_can_be_is_told(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"the state folder .* can't be (made|written): "):
        StateFolder(tmp_path / path).open()


def test_listening_json_is_written_as_a_whole_and_removed(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    state.tell_not_listening()
    state.tell_listening([{"service": "smtp", "port": 1}])
    assert json.loads(state.listening_file.read_text()) == {
        "pid": os.getpid(),
        "listeners": [{"service": "smtp", "port": 1}],
    }
    assert sorted(os.listdir(state.path)) == ["listening.json", "node.lock"]
    state.tell_not_listening()
    assert not state.listening_file.exists()
    state.close()


def test_the_first_password_is_forgotten_when_it_is_no_longer_true(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    state.forget_first_password(FIRST_ACCOUNT)
    assert not state.first_password.exists()
    state.write(state.first_password, b"secret\n")
    state.forget_first_password("someone@else.test")
    assert state.first_password.read_bytes() == b"secret\n"
    state.forget_first_password(FIRST_ACCOUNT)
    assert state.first_password.read_bytes() == b""
    state.close()


def test_the_key_of_decoys_is_made_once_for_the_owner_alone(tmp_path):
    state = StateFolder(tmp_path / "state")
    state.open()
    key = state.decoy_key()
    assert len(key) == 64
    assert state.decoy_key() == StateFolder(state.path).decoy_key() == key
    assert stat.S_IMODE((state.path / "decoy.key").stat().st_mode) == 0o600
    state.close()

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError, FraudopsError
from fraudops.stack.folder import StackFolder
from fraudops.stack.secrets import add_key, ensure_secrets, read_secrets, write_passwords, write_private


def test_secrets_are_made_once_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "stack" / "secrets.json"
    assert read_secrets(file) is None
    first = ensure_secrets(file)
    assert ensure_secrets(file) == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(first.token_key)) == 32
    assert set(first.passwords) == {"admin", "validator", "deputy", "analyst", "officer"}
    assert len(set(first.passwords.values())) == 5


def test_an_older_installation_gets_the_users_that_it_lacks_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    older = ensure_secrets(file)
    kept = {user: password for user, password in older.passwords.items() if user != "deputy"}
    known_then = older.model_copy(update={"passwords": kept}).model_dump_json(exclude={"protection_key"})
    write_private(file, known_then)
    found = ensure_secrets(file)
    assert found.token_key == older.token_key
    assert {user: found.passwords[user] for user in kept} == kept
    assert found.passwords["deputy"]
    assert len(bytes.fromhex(found.protection_key)) == 32
    assert read_secrets(file) == found


def test_damaged_secrets_are_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"token_key": "00"}')
    with pytest.raises(ConfigurationError, match="restore the file") as error:
        ensure_secrets(file)
    assert str(file) in str(error.value)
    assert file.read_text() == '{"token_key": "00"}'


def test_airflow_reads_the_passwords(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    write_passwords(file, {"admin": "secret"})
    assert file.read_text() == '{"admin": "secret"}\n'
    assert file.stat().st_mode & 0o777 == 0o600


def test_only_one_command_at_a_time(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    with (
        folder.lock(),
        pytest.raises(FraudopsError, match="another command is starting or stopping"),
        StackFolder(tmp_path / "stack").lock(),
    ):
        pytest.fail("the second command was let in")
    with folder.lock():
        pass


def test_mail_keys_and_logs_are_not_for_others(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path / "stack")
    folder.create()
    for path in (folder.logs, folder.airflow_home, folder.maildir):
        assert path.stat().st_mode & 0o077 == 0


def test_a_new_key_is_added_behind_the_others_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    before = ensure_secrets(file)
    after = add_key(file, before, "token_key")
    assert read_secrets(file) == after
    assert after.token_key.split(",")[:-1] == [before.token_key]
    assert after.model_copy(update={"token_key": before.token_key}) == before
    assert file.stat().st_mode & 0o077 == 0

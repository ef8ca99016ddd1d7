"""SFTP where the server must show the key that is known of it (fsspec's own takes any key)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.hostkeys import HostKeyEntry

from fraudops.errors import ConfigurationError, ContractError

_SECONDS = 30


class CheckedSFTP(SFTPFileSystem):
    """fsspec's file system, with four more options.

    Parameters
    ----------
    host_key
        The server's public key, such as ``ssh-ed25519 AAAA…``; without it a file of known hosts is asked.
    known_hosts
        That file (default ``~/.ssh/known_hosts``).
    no_host_key_check
        True takes whatever key the server shows.
    private_key
        Text of the key to log in with (PEM); ``passphrase`` opens it.
    """

    def __init__(self, host: str, **options: Any) -> None:
        self._host_key = options.pop("host_key", None)
        self._known_hosts = options.pop("known_hosts", None)
        self._unchecked = bool(options.pop("no_host_key_check", False))
        if text := options.pop("private_key", None):
            options["pkey"] = _private_key(str(text), options.get("passphrase"), host)
        options.pop("use_listings_cache", None)  # it lists anew each time; fsspec's own would tell paramiko of it
        waits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), _SECONDS)
        super().__init__(host, **(waits | options))

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        if self._unchecked:
            self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        else:
            self._learn_host_keys(self.client.get_host_keys())
            self.client.set_missing_host_key_policy(_Unknown())
        self.client.connect(self.host, **self.ssh_kwargs)
        self.ftp = self.client.open_sftp()

    def _learn_host_keys(self, known: paramiko.HostKeys) -> None:
        if self._host_key:
            port = int(self.ssh_kwargs.get("port") or 22)
            host = self.host if port == 22 else f"[{self.host}]:{port}"
            key = _key_of(str(self._host_key), host)
            known.add(host, key.get_name(), key)
            return
        file = Path(self._known_hosts or Path.home() / ".ssh" / "known_hosts")
        if file.is_file():
            known.load(str(file))


class _Unknown(paramiko.MissingHostKeyPolicy):
    """Asked about a host that no key is known of."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise ContractError(
            f"the host's key is not known; it shows {key.get_name()} {key.fingerprint}",
            where=hostname,
            remedy="compare it with what its owner says, then put it into known_hosts (ssh-keyscan) or into the "
            "connection's extra host_key",
        )


def _key_of(text: str, host: str) -> paramiko.PKey:
    words = text.split()
    # With or without the type in front: Airflow's own connections have either.
    typed = words[:2] if len(words) > 1 else ["ssh-rsa", *words]
    try:
        entry = HostKeyEntry.from_line(" ".join([host, *typed]))
    except (paramiko.SSHException, ValueError):
        entry = None
    if entry is None or entry.key is None:
        raise ConfigurationError(
            "the connection's host_key is none",
            where=host,
            remedy="give it as in known_hosts: its type and its text in base64",
        )
    return entry.key


def _private_key(text: str, passphrase: str | None, host: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except (paramiko.SSHException, ValueError):
            continue
    raise ConfigurationError(
        "the connection's private_key cannot be read",
        where=host,
        remedy="give it in PEM, with private_key_passphrase where it has one",
    )

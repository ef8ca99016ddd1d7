"""A real SSH server with SFTP, on a port of this machine, that serves one folder."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED


class Host:
    """The server: user ``feed`` with a password or a key."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = paramiko.ECDSAKey.generate()
        self.user_key = paramiko.ECDSAKey.generate()
        self.when_read: Callable[[Path], None] = lambda path: None
        """Called as the first bytes of a file are asked for."""
        self.reads: list[str] = []
        """Names of the files that were opened."""
        self.extra_names: list[str] = []
        """Names that listings hold beside those of the folder."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def public_key(self) -> str:
        """As in known_hosts, without the host."""
        return f"{self.key.get_name()} {self.key.get_base64()}"

    def close(self) -> None:
        """Stop."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves a thread that waits in accept
            self._listener.close()
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Login(self))
            except (paramiko.SSHException, EOFError):
                transport.close()


class _Login(paramiko.ServerInterface):
    def __init__(self, host: Host) -> None:
        self._host = host

    def check_auth_password(self, username: str, password: str) -> int:
        return AUTH_SUCCESSFUL if (username, password) == ("feed", "s3cret") else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if (username, key) == ("feed", self._host.user_key) else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, host: Host) -> None:
        super().__init__(server)
        self._host = host

    def _path(self, path: str) -> Path:
        return self._host.root / path.lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:  # type: ignore[override]
        try:
            found = [
                paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                for entry in os.scandir(self._path(path))
            ]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        template = next(iter(self._path(path).glob("*")), None)
        for name in self._host.extra_names if template else []:
            found.append(paramiko.SFTPAttributes.from_stat(template.stat(), name))  # type: ignore[union-attr]
        return found

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        self._host.reads.append(path.rpartition("/")[2])
        try:
            handle = _Handle(flags, self._host, self._path(path))
            handle.readfile = self._path(path).open("rb")  # type: ignore[attr-defined]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return handle


class _Handle(paramiko.SFTPHandle):
    def __init__(self, flags: int, host: Host, path: Path) -> None:
        super().__init__(flags)
        self._host, self._file = host, path

    def stat(self) -> paramiko.SFTPAttributes:
        return paramiko.SFTPAttributes.from_stat(self._file.stat())

    def read(self, offset: int, length: int) -> bytes | int:
        if offset == 0:
            self._host.when_read(self._file)
        return super().read(offset, length)

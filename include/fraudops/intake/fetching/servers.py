"""Connects to where files lie, and lists them. What goes wrong there becomes a sentence with what to do about it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import fsspec

from fraudops.errors import ConfigurationError, ContractError, FraudopsError
from fraudops.intake.fetching.access import Access
from fraudops.portfolio import Source

_EXTRAS = {"s3": "s3", "sftp": "sftp"}
"""Scheme → extra of fraudops that installs what it needs."""


@dataclass(frozen=True)
class State:
    """What tells one content of a remote file from another without reading it."""

    size: int
    version: str
    """Its ETag, or else the time of its last change."""

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> State:
        """The state that a listing tells."""
        known = (info.get(name) for name in ("ETag", "etag", "mtime", "LastModified", "updated", "last_modified"))
        return cls(int(info["size"]), str(next((value for value in known if value), "")))


@dataclass(frozen=True)
class RemoteFile:
    """A file that a source's address matches."""

    path: str
    """As its file system names it."""
    place: str
    """Below the address's fixed part, and below the source's folder here: ``day=2026-03-05/part-0.csv``."""
    state: State


class Server:
    """A bucket or a server, as one source sees it.

    Raises
    ------
    ContractError
        The package for it is missing, the login is refused, or the host is not the one it was.
    FraudopsError
        It cannot be reached; trying again may help.
    """

    def __init__(self, source: Source, access: Access) -> None:
        self.where = source.path or ""
        scheme = self.where.partition("://")[0]
        with self.explained():
            kind = _file_system_class(scheme, self.where)
            options = dict(kind._get_kwargs_from_urls(source.remote_folder)) | dict(access.options)
            # Nothing remembered: neither listings nor logins of an earlier run.
            self.files = kind(skip_instance_cache=True, use_listings_cache=False, **options)
            self._root = kind._strip_protocol(source.remote_folder).rstrip("/")
        self._pattern = source.remote_pattern

    def matching(self, key: str | None) -> list[RemoteFile]:
        """The files that the address matches, in the order of their names; for every key where none is given.

        Raises
        ------
        ContractError
            The bucket is not there, or a name leads elsewhere.
        FraudopsError
            The folder cannot be listed.
        """
        parts = self._pattern.replace("{key}", "*" if key is None else key).split("/")
        with self.explained():
            folders = [self._root]
            for part in parts[:-1]:
                folders = [path for folder in folders for path in self._entries(folder, part, "directory")]
            found = [(p, info) for folder in folders for p, info in self._entries(folder, parts[-1], "file").items()]
        start = len(self._root) + 1
        return sorted(
            (RemoteFile(path, path[start:], State.of(info)) for path, info in found), key=lambda file: file.place
        )

    def state(self, file: RemoteFile) -> State:
        """What the server says of a file now."""
        return State.of(self.files.info(file.path))

    def _entries(self, folder: str, pattern: str, kind: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for info in self._list(folder):
            path = str(info["name"]).rstrip("/")
            name = path.rpartition("/")[2]
            if path == folder or info["type"] != kind or not fnmatchcase(name, pattern):
                continue
            if name.startswith(".") and name not in (".", ".."):
                continue  # a leading dot marks what a sender has not finished writing
            if path != f"{folder}/{name}" or not _is_plain(name):
                raise ContractError(
                    f"the server lists a name that leads elsewhere or holds control characters: {name[:80]!r}",
                    where=self.where,
                    remedy="have the file renamed, or narrow the pattern",
                )
            found[path] = info
        return found

    def _list(self, folder: str) -> list[dict[str, Any]]:
        try:
            return list(self.files.ls(folder, detail=True))
        except FileNotFoundError:
            bucket, _, below = folder.partition("/")
            if bucket and below:
                # Folders of a bucket begin to exist with their first file; the bucket itself must be there.
                self.files.ls(bucket, detail=True)
                return []
            raise

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what file systems and their clients raise into errors that say what to do."""
        try:
            yield
        except FraudopsError:
            raise
        except Exception as error:
            raise _explanation(error, self.where) from error


def _file_system_class(scheme: str, where: str) -> Any:
    try:
        if scheme == "sftp":
            # Optional: whoever fetches nothing by SFTP need not have paramiko.
            from fraudops.intake.fetching.sftp import CheckedSFTP

            return CheckedSFTP
        return fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        extra = _EXTRAS.get(scheme)
        package = f"'fraudops[{extra}]'" if extra else "the package that it names"
        raise ConfigurationError(
            f"{scheme}:// needs a package that is not installed ({error})",
            where=where,
            remedy=f"pip install {package}, on every worker",
        ) from None
    except ValueError:
        raise ConfigurationError(
            f"nothing here reads {scheme}://", where=where, remedy="write s3:// or sftp://, see docs/sources.md"
        ) from None


def _is_plain(name: str) -> bool:
    """Whether a name is one part of a path, on this machine as well."""
    return (
        name not in ("", ".", "..")
        and not {"/", "\\"} & set(name)
        and not any(unicodedata.category(sign) == "Cc" for sign in name)
    )


def _explanation(error: Exception, where: str) -> FraudopsError:
    name, module = type(error).__name__, type(error).__module__.partition(".")[0]
    # (kind, what, remedy) by what is known of the error; the error itself follows in the log.
    if isinstance(error, FileNotFoundError):
        return ContractError(
            "there is no such bucket or folder", where=where, remedy="correct transactions.path in the portfolio's YAML"
        )
    refused = name in ("AuthenticationException", "BadAuthenticationType", "PasswordRequiredException")
    if refused or isinstance(error, PermissionError) or "No authentication methods available" in str(error):
        return ContractError(
            "access is denied", where=where, remedy="check login, password or key, and rights of the connection"
        )
    if name in ("NoCredentialsError", "PartialCredentialsError"):
        return ContractError(
            "no credentials were found",
            where=where,
            remedy="name an Airflow connection under 'connection', or give the worker a role",
        )
    if name == "BadHostKeyException":
        return ContractError(
            "the host shows another key than the one that is known: somebody may have put himself between",
            where=where,
            remedy="ask the host's owner for its key, then correct known_hosts or the connection's host_key",
        )
    if name in ("EndpointConnectionError", "NoValidConnectionsError", "gaierror", "ConnectTimeoutError"):
        return FraudopsError("cannot be reached", where=where, remedy="check host and port, and the network")
    if module in ("paramiko", "botocore", "aiohttp") or isinstance(error, OSError | EOFError):
        return FraudopsError(f"{name} while files were fetched", where=where, remedy="try again; the log has more")
    return FraudopsError(f"the file system failed with {name}", where=where, remedy="the log has more")

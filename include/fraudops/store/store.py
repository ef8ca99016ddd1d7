"""Partitions and objects in a folder or bucket.

Layout, below the store's root::

    <dataset>/portfolio=<P>/date=<KEY>/part-<digest>.parquet   data, named by its content
                                       manifest.json           written last; no manifest, no partition
                                       staged.json             a manifest that has not passed validation yet
                                       history/<digest>.json   manifests that were replaced
    <area>/portfolio=<P>/...                                   objects: models, reports, Data Docs
    format.json                                                which form all of this has

A data file is never changed once written, so a reader holding an old manifest still finds its rows.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pydantic import ValidationError
from upath import UPath

from fraudops.errors import IntegrityError, MissingPartitionError
from fraudops.store import formats
from fraudops.store.digests import sha256_of
from fraudops.store.files import explained, is_local, put_whole
from fraudops.store.manifest import Input, Manifest, StoredFile
from fraudops.store.rows import Among, all_rows, parquet_bytes, some_rows

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=:@-]*")


class Store:
    """The shared artifact store.

    Parameters
    ----------
    root
        A folder, or an fsspec URL such as ``s3://bucket/fraudops``.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = UPath(root)
        self._readable = self._writable = False

    # -- partitions -----------------------------------------------------------------------------------

    def write(
        self,
        dataset: str,
        portfolio: str,
        key: str,
        table: pa.Table,
        *,
        config: str,
        inputs: Iterable[Input] = (),
        facts: dict[str, Any] | None = None,
    ) -> Manifest:
        """Write a partition whole: data first, manifest last. Rows must come in their defined order."""
        manifest = self._write_data(dataset, portfolio, key, table, config=config, inputs=inputs, facts=facts)
        self.publish(manifest)
        return manifest

    def stage(
        self,
        dataset: str,
        portfolio: str,
        key: str,
        table: pa.Table,
        *,
        config: str,
        inputs: Iterable[Input] = (),
        facts: dict[str, Any] | None = None,
    ) -> Manifest:
        """Write a partition's data and its manifest-to-be; readers see nothing until :meth:`publish`."""
        manifest = self._write_data(dataset, portfolio, key, table, config=config, inputs=inputs, facts=facts)
        self._put(self._folder(dataset, portfolio, key) / "staged.json", manifest.to_bytes())
        return manifest

    def publish(self, manifest: Manifest) -> None:
        """Make a staged partition visible; the manifest that it replaces is kept in ``history``."""
        folder = self._folder(manifest.dataset, manifest.portfolio, manifest.key)
        content = manifest.to_bytes()
        current = folder / "manifest.json"
        previous = current.read_bytes() if current.exists() else None
        if previous is not None and previous != content:
            self._put(folder / "history" / f"{sha256_of(previous)[:16]}.json", previous)
        if previous != content:
            self._put(current, content)
        _forget(folder / "staged.json")

    def discard(self, manifest: Manifest) -> None:
        """Forget a staged partition (its data stays until retention removes what no manifest names)."""
        _forget(self._folder(manifest.dataset, manifest.portfolio, manifest.key) / "staged.json")

    def staged(self, dataset: str, portfolio: str, key: str) -> Manifest | None:
        """The manifest of a partition that waits for validation, or None."""
        return self._manifest_at(self._folder(dataset, portfolio, key) / "staged.json")

    def manifest(self, dataset: str, portfolio: str, key: str) -> Manifest | None:
        """The manifest of a published partition, or None where there is none."""
        return self._manifest_at(self._folder(dataset, portfolio, key) / "manifest.json")

    def require(self, dataset: str, portfolio: str, key: str) -> Manifest:
        """The manifest of a partition that must exist.

        Raises
        ------
        MissingPartitionError
            It does not.
        """
        manifest = self.manifest(dataset, portfolio, key)
        if manifest is None:
            raise MissingPartitionError(
                f"there is no {dataset} partition",
                where=f"{portfolio} {key}",
                remedy="run the step that writes it",
            )
        return manifest

    def versions(self, dataset: str, portfolio: str, key: str) -> list[Manifest]:
        """Every manifest that a partition has had, the one in force first; the others in no order of time."""
        current = self.manifest(dataset, portfolio, key)
        folder = self._folder(dataset, portfolio, key) / "history"
        earlier = sorted(folder.glob("*.json"), key=str) if folder.exists() else []
        found = [manifest for path in earlier if (manifest := self._manifest_at(path)) is not None]
        return [*([current] if current is not None else []), *found]

    def read(
        self,
        manifest: Manifest,
        columns: Sequence[str] | None = None,
        *,
        among: Among | None = None,
        repeating: Sequence[str] = (),
    ) -> pa.Table:
        """The rows a manifest names (published or staged), each file checked against its digest.

        Parameters
        ----------
        among
            Which rows; ``columns`` has its column. Less memory is needed, and less time, where they are few.
        repeating
            With ``among``: columns of few different texts, which are the faster to read where that is known.

        Raises
        ------
        IntegrityError
            A file is gone or not the one that was written.
        """
        folder = self._folder(manifest.dataset, manifest.portfolio, manifest.key)
        tables = []
        for file in manifest.files:
            content = self._content(folder / file.name, file)
            chosen = list(columns) if columns else None
            found = all_rows(content, chosen) if among is None else some_rows(content, chosen, among, repeating)
            tables.append(found)
        return pa.concat_tables(tables) if len(tables) != 1 else tables[0]

    def read_partition(self, dataset: str, portfolio: str, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a published partition; raises as :meth:`require` and :meth:`read` do."""
        return self.read(self.require(dataset, portfolio, key), columns)

    def keys(self, dataset: str, portfolio: str) -> list[str]:
        """Keys of the published partitions of a dataset, in the order of time."""
        folder = self.path(dataset, portfolio)
        if is_local(folder):
            return sorted(_published_in(str(folder)))
        if not folder.exists():
            return []
        found = (path for path in folder.iterdir() if path.name.startswith("date="))
        return sorted(p.name.removeprefix("date=") for p in found if (p / "manifest.json").exists())

    # -- objects --------------------------------------------------------------------------------------

    def path(self, area: str, portfolio: str, *parts: str) -> UPath:
        """Path of an object, ``<area>/portfolio=<P>/<parts…>``; a part that could climb out is refused.

        Raises
        ------
        ConfigurationError
            The store has a format that this version does not know, or the tokens in it are being changed.
        """
        if not self._readable:
            self._require_readable()
            self._readable = True
        for part in (area, portfolio, *parts):
            if not _SAFE.fullmatch(part) or ".." in part:
                raise ValueError(f"{part!r} cannot be part of a path in the store")
        return self.root.joinpath(area, f"portfolio={portfolio}", *parts)

    def put(self, content: bytes, area: str, portfolio: str, *parts: str) -> UPath:
        """Write an object whole; returns its path."""
        path = self.path(area, portfolio, *parts)
        self._put(path, content)
        return path

    def get(self, area: str, portfolio: str, *parts: str) -> bytes:
        """Read an object. Raises ``FileNotFoundError`` where there is none."""
        return self.path(area, portfolio, *parts).read_bytes()

    # -- inside ---------------------------------------------------------------------------------------

    def _write_data(
        self,
        dataset: str,
        portfolio: str,
        key: str,
        table: pa.Table,
        *,
        config: str,
        inputs: Iterable[Input],
        facts: dict[str, Any] | None,
    ) -> Manifest:
        content = parquet_bytes(table)
        digest = sha256_of(content)
        file = StoredFile(name=f"part-{digest[:16]}.parquet", rows=table.num_rows, bytes=len(content), sha256=digest)
        there = self.manifest(dataset, portfolio, key) or self.staged(dataset, portfolio, key)
        manifest = Manifest(
            dataset=dataset,
            portfolio=portfolio,
            key=key,
            rows=table.num_rows,
            files=(file,),
            columns={field.name: str(field.type) for field in table.schema},
            inputs=tuple(sorted(inputs, key=lambda i: (i.dataset, i.key))),
            config=config,
            facts=facts or {},
            # The same rows again: they stand for what they have stood for.
            stands_for=there.stands_for if there is not None and there.files == (file,) else None,
        )
        self._put(self._folder(dataset, portfolio, key) / file.name, content)
        return manifest

    def _folder(self, dataset: str, portfolio: str, key: str) -> UPath:
        return self.path(dataset, portfolio, f"date={key}")

    @staticmethod
    def _content(path: UPath, file: StoredFile) -> bytes:
        if not path.exists():
            raise IntegrityError("the data file is gone", where=str(path), remedy="restore it from the backup")
        content = path.read_bytes()
        if sha256_of(content) != file.sha256:
            raise IntegrityError("the data file is not the one that was written", where=str(path), remedy="restore it")
        return content

    @staticmethod
    def _manifest_at(path: UPath) -> Manifest | None:
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            # What pydantic says would quote the file.
            raise IntegrityError(
                "the manifest cannot be read: it was altered or cut off",
                where=str(path),
                remedy="restore it from the backup; 'fraudops verify' says what else is not as it was written",
            ) from None

    def _require_readable(self) -> None:
        formats.format_of(self.root)
        formats.require_settled(self.root)

    def _put(self, path: UPath, content: bytes) -> None:
        """Write a whole file or nothing, and only into a store whose format is ours."""
        if not self._writable:
            formats.require_writable(self.root)
            self._readable = self._writable = True
        put_whole(path, content)


def _forget(path: UPath) -> None:
    if path.exists():
        with explained(path):
            path.unlink()


def _published_in(folder: str) -> Iterator[str]:
    """Keys of a dataset in a folder of this machine; asking a path object of each would take ten times as long."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("date=") and os.path.exists(f"{entry.path}/manifest.json"):  # noqa: PTH110
                yield entry.name.removeprefix("date=")

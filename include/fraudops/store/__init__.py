"""The artifact store: partitions with manifests, and objects, on a folder or an S3-compatible bucket."""

from fraudops.store.digests import canonical_json, sha256_of
from fraudops.store.manifest import Input, Manifest, StoredFile
from fraudops.store.pinned import PinnedStore, version_of
from fraudops.store.remembering import Memory, RememberingStore
from fraudops.store.removal import Tombstone, removed_keys, tombstone
from fraudops.store.rows import Among
from fraudops.store.store import Store

__all__ = [
    "Among",
    "Input",
    "Manifest",
    "Memory",
    "PinnedStore",
    "RememberingStore",
    "Store",
    "StoredFile",
    "Tombstone",
    "canonical_json",
    "removed_keys",
    "sha256_of",
    "tombstone",
    "version_of",
]

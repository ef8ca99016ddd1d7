"""Encryption of what lies in protected areas of the store: Fernet (AES-128-CBC and HMAC-SHA256), by
``FRAUDOPS_PROTECTION_KEY``."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from fraudops.errors import ConfigurationError, IntegrityError
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def encrypt(ws: Workspace, content: bytes) -> bytes:
    """What can be stored of some bytes; twice the same are stored as different ones.

    Raises
    ------
    ConfigurationError
        There is no key.
    """
    return _cipher(ws).encrypt(content)


def decrypt(ws: Workspace, stored: bytes, where: str) -> bytes:
    """The bytes that were encrypted.

    Raises
    ------
    ConfigurationError
        There is no key.
    IntegrityError
        They were encrypted with another key, or altered since.
    """
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(ws).decrypt(stored)
    except InvalidToken:
        raise IntegrityError(
            "it was encrypted with another key, or has been altered",
            where=where,
            remedy="restore FRAUDOPS_PROTECTION_KEY and the store from the same moment",
        ) from None


def encrypted_anew(ws: Workspace, stored: bytes, where: str) -> bytes | None:
    """The same bytes, encrypted with the newest key; None where they are already. Raises as :func:`decrypt`."""
    from cryptography.fernet import Fernet, InvalidToken

    content = decrypt(ws, stored, where)
    try:
        Fernet(_derived(ws.protection_keys[-1])).decrypt(stored)
    except InvalidToken:
        return encrypt(ws, content)
    return None


def _cipher(ws: Workspace) -> MultiFernet:
    """Encrypts with the newest key, and decrypts with any of them."""
    if not ws.protection_keys:
        raise ConfigurationError(
            "there is no key to encrypt with, so nothing is stored",
            where="FRAUDOPS_PROTECTION_KEY",
            remedy="'make up' makes one for the local stack; in production set it from your secret store",
        )
    return _ciphers(ws.protection_keys)


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[bytes, ...]) -> MultiFernet:
    """Made once: what is scored at once is encrypted row by row."""
    # Imported where it is used: reading a list of cases needs no cipher.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(_derived(key)) for key in reversed(keys)])


def _derived(key: bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"fraudops/protected/" + key).digest())

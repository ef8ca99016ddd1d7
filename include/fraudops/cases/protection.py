"""Encryption of what lies in protected areas of the store: Fernet (AES-128-CBC and HMAC-SHA256), by
``FRAUDOPS_PROTECTION_KEY``."""

from __future__ import annotations

import base64
import hashlib

from fraudops.errors import ConfigurationError, IntegrityError
from fraudops.workspace import Workspace


def encrypt(ws: Workspace, content: bytes) -> bytes:
    """What can be stored of some bytes; twice the same are stored as different ones.

    Raises
    ------
    ConfigurationError
        There is no key.
    """
    # Imported where it is used: reading a list of cases needs no cipher.
    from cryptography.fernet import Fernet

    return Fernet(_key(ws)).encrypt(content)


def decrypt(ws: Workspace, stored: bytes, where: str) -> bytes:
    """The bytes that were encrypted.

    Raises
    ------
    ConfigurationError
        There is no key.
    IntegrityError
        They were encrypted with another key, or altered since.
    """
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(_key(ws)).decrypt(stored)
    except InvalidToken:
        raise IntegrityError(
            "it was encrypted with another key, or has been altered",
            where=where,
            remedy="restore FRAUDOPS_PROTECTION_KEY and the store from the same moment",
        ) from None


def _key(ws: Workspace) -> bytes:
    if ws.protection_key is None:
        raise ConfigurationError(
            "there is no key to encrypt with, so nothing is stored",
            where="FRAUDOPS_PROTECTION_KEY",
            remedy="'make up' makes one for the local stack; in production set it from your secret store",
        )
    return base64.urlsafe_b64encode(hashlib.sha256(b"fraudops/protected/" + ws.protection_key).digest())

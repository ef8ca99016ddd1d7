"""Errors that tell a person what is wrong, where, and what to do about it.

A task that meets a :class:`ContractError` fails at once, because trying again cannot help; everything else
(a disk, a network, a database) is worth a retry.
"""

from __future__ import annotations


class FraudopsError(Exception):
    """Base of every error raised on purpose.

    Parameters
    ----------
    what
        What is wrong, in one sentence. Never a card number, a name or an account number.
    where
        File, row, column, partition or key at which it was found.
    remedy
        What the reader can do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message} → {remedy}" if remedy else message)


class StorageError(FraudopsError):
    """A disk is full, read-only or broken: trying again helps once somebody, or time, has put it right."""


class ContractError(FraudopsError):
    """The input or the configuration breaks its contract: trying again would fail again."""


class ConfigurationError(ContractError):
    """A setting or a portfolio's YAML is wrong."""


class MissingPartitionError(ContractError):
    """A partition that is needed has no manifest, so it does not exist."""


class IntegrityError(ContractError):
    """Stored bytes are not the ones that were recorded: altered, truncated or replaced."""


class ConflictError(ContractError):
    """Somebody else changed the same thing first."""

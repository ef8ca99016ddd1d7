"""Whose account it is, as far as the rules compare persons with persons and businesses with businesses."""

from __future__ import annotations

import numpy as np

from fraudops.rules.inputs import Inputs
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Ints, Mask, Rows


def business_accounts(inputs: Inputs, rows: Rows) -> Mask:
    """Accounts (by code) whose customer is a business; one of whom nothing is known counts as a person.

    Returns
    -------
    Array of bool, shape (accounts + 1,)
        The last entry is for rows without an account.
    """
    found = np.zeros(len(rows.account.names) + 1, dtype=bool)
    business = rows.customer.is_one_of(inputs.businesses)
    found[rows.account.codes[business]] = True
    found[-1] = False
    return found


def least_by_account(inputs: Inputs, numbers: Numbers, rows: Rows, person: str, business: str) -> Ints:
    """One of two counts for each account code: that of persons or that of businesses."""
    return np.where(business_accounts(inputs, rows), numbers.whole(business), numbers.whole(person))


def opened_before(inputs: Inputs, customer: str | None, days: np.datetime64) -> bool:
    """Whether the customer is known to have been one before a day."""
    opened = inputs.customer(customer, "opened_on")
    return opened is not None and bool(np.datetime64(opened, "D") < days)

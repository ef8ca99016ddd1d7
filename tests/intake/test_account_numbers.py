"""Account numbers are kept as keyed tokens alone: the same account, the same token, wherever it stands."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.errors import ContractError
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.tokens import account_tokens, token_of
from fraudops.workspace import Workspace

from tests.intake.conftest import make_portfolio, quarantined, snapshot, staged_rows

KEY = b"k" * 32
COLUMNS = {
    "transaction_id": {"role": "id"},
    "event_time": {"role": "time"},
    "amount": {"role": "amount"},
    "account_id": {"role": "account", "required": True},
    "counterparty_account": {"role": "account", "entity": "counterparty"},
}
HEADER = "id,time,amount,account_id,counterparty_account"


def test_how_a_number_is_written_does_not_matter() -> None:
    numbers = pa.array(
        ["GB82 west 1234-5698", "gb82WEST12345698", None, "4111111111111111", "no", "12/34.56-7", "ÄÖÜß1"]
    )
    tokens, invalid = account_tokens(numbers, KEY)
    found = tokens.to_pylist()
    assert found[0] == found[1] is not None
    assert found[3] not in (None, token_of("4111111111111111", KEY)), "an account is not taken for a card"
    assert invalid.tolist() == [False, False, False, False, True, False, True]


def test_no_number_lies_anywhere_in_the_store(workspace: Workspace, deliver: Callable[..., Path]) -> None:
    shop = make_portfolio(columns=COLUMNS, name="bank")
    rows = [
        "t1,2026-03-05T10:00:00Z,5,DE0012345678,US0087654321",
        "t2,2026-03-05T11:00:00Z,5,US00 8765 4321,DE0012345678",
        "t1,2026-03-05T10:00:00Z,6,DE0012345678,US0087654321",
        "t3,2026-03-05T12:00:00Z,x,DE0012345678,",
        "t4,2026-03-05T12:00:00Z,5,,US0087654321",
        "t5,2026-03-05T12:00:00Z,5,DE0012345678",
    ]
    path = deliver("tx_2026-03-05.csv", *rows, header=HEADER, portfolio="bank")
    land(workspace, shop, FeedFiles([path]))
    first, second = staged_rows(workspace, portfolio="bank")
    assert first["account_id_token"] == second["counterparty_account_token"]
    assert first["counterparty_account_token"] == second["account_id_token"]
    assert len(quarantined(workspace, "bank")) == 4
    for name, content in snapshot(workspace).items():
        text = str(pq.read_table(io.BytesIO(content)).to_pylist()) if name.endswith(".parquet") else str(content)
        assert not [digits for digits in ("12345678", "87654321", "8765 4321") if digits in text], name
    other = Workspace(workspace.store, workspace.landing, workspace.database_url, b"o" * 32, b"l" * 32)
    with pytest.raises(ContractError, match="made with another key"):
        land(other, shop, FeedFiles([path]))

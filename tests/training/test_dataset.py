from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from fraudops.errors import ContractError, IntegrityError, MissingPartitionError
from fraudops.features import build
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.publication import publish
from fraudops.portfolio import Portfolio
from fraudops.training.dataset import assemble, load
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.workspace import Workspace

from tests.training import history
from tests.training.conftest import empty

DELAY = timedelta(days=5)


def test_matured_rows_are_cut_into_slices(ws: Workspace, shop: Portfolio) -> None:
    summary = assemble(ws, shop, run_id="run1", as_of=history.end())
    data = load(ws, shop, "run1")
    assert data.summary == summary
    rows = history.transactions()
    old = rows[rows["event_time"] + DELAY <= pd.Timestamp(history.end())]
    assert list(data.frame["transaction_id"]) == list(old["transaction_id"])
    assert list(data.frame["label"]) == list(old["fraud"])
    assert summary.immature == len(rows) - len(old)
    assert summary.trained_until == old["event_time"].iloc[-1] + pd.Timedelta(microseconds=1)
    assert sum(held.rows for held in summary.slices.values()) == len(old)
    assert summary.slices["validation"].rows / len(old) == pytest.approx(0.2, abs=0.01)
    assert summary.slices["validation"].days == pytest.approx(7, abs=0.5)
    assert summary.promotable


def test_the_gap_is_one_delay_before_validation(ws: Workspace, shop: Portfolio) -> None:
    summary = assemble(ws, shop, run_id="gap", as_of=history.end())
    data = load(ws, shop, "gap")
    assert summary.validation_from is not None
    assert data.rows_of("train")["event_time"].max() < pd.Timestamp(summary.validation_from) - DELAY
    gap = data.rows_of("gap")["event_time"]
    assert gap.min() >= pd.Timestamp(summary.validation_from) - DELAY
    assert gap.max() < pd.Timestamp(summary.validation_from)


def test_a_column_may_be_a_segment_without_being_seen_by_the_model(tmp_path: Path) -> None:
    ws = empty(tmp_path)
    hidden = {"calendar": ["hour"], "exclude": ["channel"]}
    shop = history.portfolio(features=hidden, promotion={"gates": {"segments": {"columns": ["channel"]}}})
    history.write(ws, shop, history.transactions())
    summary = assemble(ws, shop, run_id="segments", as_of=history.end())
    assert "channel" not in summary.columns.all
    assert set(load(ws, shop, "segments").frame["channel"]) >= {"online"}


def test_the_same_inputs_give_the_same_bytes(ws: Workspace, shop: Portfolio) -> None:
    def content() -> list[bytes]:
        assemble(ws, shop, run_id="again", as_of=history.end())
        names = ("dataset.parquet", "dataset.json")
        return [ws.store.get("training", shop.name, "again", name) for name in names]

    assert content() == content()


def test_nothing_after_as_of_is_seen(ws: Workspace, shop: Portfolio, tmp_path: Path) -> None:
    past = history.end(30)
    assemble(ws, shop, run_id="past", as_of=past)
    other = empty(tmp_path)
    rows = history.transactions()
    # The same past with another future: no payment after it, and no report that arrived after it.
    history.write(other, shop, rows[rows["event_time"] < pd.Timestamp(past)])
    for key in other.store.keys("labels", shop.name):
        if key >= f"{past:%Y-%m-%d}":
            (other.store.path("labels", shop.name, f"date={key}") / "manifest.json").unlink()
    assemble(other, shop, run_id="past", as_of=past)
    first, second = (w.store.get("training", shop.name, "past", "dataset.parquet") for w in (ws, other))
    assert first == second


def test_dispositions_bring_in_no_young_rows_and_yield_to_chargebacks(tmp_path: Path) -> None:
    feeds = {"delay": "5d", "source": {"path": "chargebacks.csv"}, "dispositions": {"path": "found.csv"}}
    ws, shop = empty(tmp_path), history.portfolio(labels=feeds)
    rows = history.transactions()
    history.write(ws, shop, rows)
    alone = assemble(ws, shop, run_id="alone", as_of=history.end())
    frauds = set(rows.loc[rows["fraud"], "transaction_id"])
    genuine = rows[~rows["fraud"]].iloc[::7]
    history.dispose(ws, shop, pd.concat([rows[rows["fraud"]], genuine]))
    both = assemble(ws, shop, run_id="both", as_of=history.end())
    first, second = (load(ws, shop, run).frame for run in ("alone", "both"))
    assert first[["transaction_id", "label"]].equals(second[["transaction_id", "label"]])
    known, looked_at = frauds & set(second["transaction_id"]), set(genuine["transaction_id"])
    assert alone.labels.feeds == {"labels": len(known)}
    assert both.labels.feeds == {
        "labels": len(known),
        "dispositions": len(looked_at & set(second["transaction_id"])),
    }
    assert both.labels.time == len(second) - sum(both.labels.feeds.values())
    assert (both.immature, both.labels.corrected) == (alone.immature, 0)
    assert any(name.startswith("dispositions/") for name in both.inputs)
    assert DatasetSummary.from_bytes(both.to_bytes()) == both


def test_a_young_reported_fraud_waits_like_everybody_else(ws: Workspace, shop: Portfolio) -> None:
    data_end = history.end() - DELAY
    assemble(ws, shop, run_id="young", as_of=history.end())
    frame = load(ws, shop, "young").frame
    assert frame["event_time"].max() <= pd.Timestamp(data_end)


def test_the_window_limits_the_partitions(ws: Workspace, shop: Portfolio) -> None:
    summary = assemble(ws, shop, run_id="window", as_of=history.end(), window=timedelta(days=30))
    assert summary.first_key == "2026-03-11"
    assert DatasetSummary.from_bytes(summary.to_bytes()) == summary
    assert summary.to_dict()["inputs"]["partitions"] == len(summary.inputs)


def test_a_random_split_is_flagged(ws: Workspace, shop: Portfolio) -> None:
    summary = assemble(ws, shop, run_id="random", as_of=history.end(), split="random")
    assert not summary.promotable
    assert summary.slices["gap"].rows == 0
    shares = {name: held.rows for name, held in summary.slices.items()}
    assert shares["train"] == pytest.approx(0.6 * sum(shares.values()), rel=0.01)
    assert summary.slices["test"].days == pytest.approx(7, abs=0.2)


def test_rows_of_one_moment_cover_a_partition(tmp_path: Path) -> None:
    shop = history.portfolio(labels={"delay": "0d", "source": {"path": "chargebacks.csv"}}, features={})
    workspace = empty(tmp_path)
    rows = history.transactions()
    eighth = (rows["event_time"] - pd.Timestamp(history.START)) // pd.Timedelta(days=8)
    moments = (pd.Timestamp(history.START) + eighth * pd.Timedelta(days=8)).dt.as_unit("us")
    history.write(workspace, shop, rows.assign(event_time=moments))
    slices = assemble(workspace, shop, run_id="moments", as_of=history.end()).slices
    assert slices["test"].first == slices["test"].last
    assert slices["test"].days == 1


def test_copies_of_a_row_without_an_id_share_a_slice(tmp_path: Path) -> None:
    columns = {"event_time": {"role": "time"}, "amount": {"role": "amount"}, "label": {"role": "label"}}
    bank = history.portfolio(columns=columns, labels={"delay": "0d"}, features={})
    workspace = empty(tmp_path)
    rows = history.transactions(days=10)
    copies = rows.loc[rows.index.repeat(2), ["event_time", "amount", "amount_minor", "fraud"]]
    copies = copies.rename(columns={"fraud": "label"})
    copies.insert(0, "transaction_id", [f"{n // 2:08x}-{n % 2 + 1}" for n in range(len(copies))])
    for key, part in copies.groupby(copies["event_time"].dt.strftime("%Y-%m-%d")):
        table = pa.Table.from_pandas(part, preserve_index=False)
        workspace.store.write("transactions", bank.name, str(key), table, config="c")
        features = pa.table({"transaction_id": table["transaction_id"]})
        workspace.store.write("features", bank.name, str(key), features, config="c")
    assemble(workspace, bank, run_id="copies", as_of=history.end(10), split="random")
    frame = load(workspace, bank, "copies").frame
    group = frame["transaction_id"].str.split("-").str[0]
    assert (frame["slice"].groupby(group).nunique() == 1).all()


def test_without_partitions_it_says_what_there_is(ws: Workspace, shop: Portfolio, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"there are none.*load history first"):
        assemble(empty(tmp_path), shop, run_id="r", as_of=history.end())
    with pytest.raises(ContractError, match="there are 40, 2026-03-01 to 2026-04-09"):
        assemble(ws, shop, run_id="r", as_of=history.START)


def test_without_matured_rows_it_says_the_delay(ws: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match=r"none of .* had a matured label .*the delay is 5d"):
        assemble(ws, shop, run_id="r", as_of=history.end(4))


def test_too_little_fraud_is_counted(tmp_path: Path, shop: Portfolio) -> None:
    workspace = empty(tmp_path)
    history.write(workspace, shop, history.transactions(days=15), with_labels=False)
    with pytest.raises(ContractError, match=r"too few frauds in the train slice, .*train 0 of .*longer window"):
        assemble(workspace, shop, run_id="r", as_of=history.end(15))


def test_a_gap_that_leaves_no_training_rows_is_named(ws: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match=r"the train slice is empty \(the gap of 5d took all of it\)"):
        assemble(ws, shop, run_id="r", as_of=history.end(), window=timedelta(days=8))


def test_features_must_be_there(ws: Workspace, shop: Portfolio, tmp_path: Path) -> None:
    workspace = empty(tmp_path)
    history.write(workspace, shop, history.transactions(days=12))
    (workspace.store.path("features", shop.name, "date=2026-03-04") / "manifest.json").unlink()
    with pytest.raises(MissingPartitionError, match="features"):
        assemble(workspace, shop, run_id="r", as_of=history.end(12))


def test_an_unknown_split_is_refused(ws: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match="no split 'tme'"):
        assemble(ws, shop, run_id="r", as_of=history.end(), split="tme")


def test_an_altered_data_set_is_refused(ws: Workspace, shop: Portfolio) -> None:
    assemble(ws, shop, run_id="altered", as_of=history.end())
    ws.store.put(b"PAR1", "training", shop.name, "altered", "dataset.parquet")
    with pytest.raises(IntegrityError, match="not the one that was written"):
        load(ws, shop, "altered")
    with pytest.raises(ContractError, match="has no data set"):
        load(ws, shop, "nothing")


@pytest.mark.parametrize("split", ["time", "random"])
def test_copies_in_the_order_of_files_share_a_slice(workspace: Workspace, split: str) -> None:
    """Rows with neither a time nor an id, some of them again in their file, and in the file of another source."""
    later = {"rows_per_day": 60, "origin": "2026-03-11T00:00:00+00:00"}
    ours = {"path": "a*.csv", "name": "ours"}
    theirs = {"path": "b*.csv", "name": "theirs", "columns": {"event_time": later, "amount": "value"}}
    columns = {
        "event_time": {"role": "time", "rows_per_day": 60, "origin": "2026-03-01T00:00:00+00:00"},
        "amount": {"role": "amount"},
        "kind": {"role": "category"},
        "label": {"role": "label", "positive": ["1"]},
    }
    bank = history.portfolio(transactions=[ours, theirs], columns=columns, labels={"delay": "0d"}, features={})
    rows = [f"{n},{'x' if n % 3 else ''},{int(n % 5 == 0)}" for n in range(500)]
    folder = workspace.landing / bank.name
    folder.mkdir()
    paths = [folder / "a.csv", folder / "b.csv"]
    paths[0].write_text("\n".join(["amount,kind,label", *rows[:300], *rows[:100], ""]))
    paths[1].write_text("\n".join(["value,kind,label", *rows[250:], *rows[:50], ""]))
    for key in land(workspace, bank, FeedFiles(paths)).keys:
        publish(workspace, bank, key, actor="service:test")
    build(workspace, bank, workspace.store.keys("transactions", bank.name))
    assemble(workspace, bank, run_id="copies", as_of=history.end(30), split=split)
    frame = load(workspace, bank, "copies").frame
    slices = frame.groupby("amount")["slice"]
    assert len(frame) == 700
    assert (slices.size() > 1).sum() == 150
    assert (slices.nunique() == 1).all()
    if split == "time":
        # The boundaries alone, at 60 and 80 % of the rows, would give 420, 140 and 140.
        counts = [frame["slice"].value_counts()[name] for name in ("train", "validation", "test")]
        assert counts == [500, 110, 90]

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Partitioning, Portfolio, Role, Source, load_portfolio, parse_duration

CARDS = Path(__file__).resolve().parents[2] / "include" / "portfolios" / "cards.yaml"


def test_the_shipped_portfolios_load(portfolios: dict[str, Portfolio]) -> None:
    assert set(portfolios) >= {"cards", "ulb", "handbook"}
    assert portfolios["ulb"].named(Role.NUMBER) == [f"V{n}" for n in range(1, 29)]
    assert portfolios["cards"].entities == {
        "customer": "customer_id", "terminal": "terminal_id", "card": "card_token",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("partition_hours: 24 ", "partition_hours: 5 ", "partition_hours"),
        ("minor_digits: 2", "minor_digit: 2", "minor_digit"),
        ("delay: 7d", "delay: a week", "'a week' is not a duration"),
        ("baseline: logistic_regression", "baseline: magic", "'magic' is none of the candidates"),
        ("entity: terminal\n", "entity: till\n", "no entity 'till'"),
        ("amount: {role: amount, minimum: 0}", "sum: {role: number}", "amount_max.*no column has role 'amount'"),
        ("name: cards", "name: debit", "both the same name"),
        ("shares: [0.6, 0.2, 0.2]", "shares: [0.6, 0.2, 0.3]", "add up to 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = CARDS.read_text()
    assert old in text
    file = tmp_path / "cards.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=message) as error:
        load_portfolio(file)
    assert str(file) in str(error.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "cards.yaml"
    file.write_text(CARDS.read_text().replace("delay: 7d", "delay: x").replace("minor_digits: 2", "minor_digits: 9"))
    with pytest.raises(ConfigurationError, match="2 problems"):
        load_portfolio(file)


def test_a_section_that_a_step_does_not_use_does_not_change_its_digest(
    portfolios: dict[str, Portfolio],
) -> None:
    cards = portfolios["cards"]
    other = cards.model_copy(update={"owner": "somebody else"})
    assert cards.digest_of("columns", "features") == other.digest_of("columns", "features")
    assert cards.digest_of("owner") != other.digest_of("owner")


def test_durations() -> None:
    assert parse_duration("90m") == timedelta(minutes=90)


@pytest.mark.parametrize("key", ["2026-3-5", "2026-02-30", "yesterday", "", "2026-03-05T00"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="2026-03-05"):
        Partitioning(24).start(key)


_BY_WATERMARK = "{table: t, connection: c, watermark: seq}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{path: 's3://feed/in/tx_{key}.csv', table: t}", "give one of path, table and query, got path and table"),
        ("{table: payments}", "table needs connection"),
        ("{path: 'file:///in/tx.csv'}", "a file of this machine"),
        ("{path: 's3://feed'}", "write an address such as s3://place/folder"),
        ("{path: 's3:///in/tx.csv'}", "write an address such as s3://place/folder"),
        ("{path: 's3://*/in/tx.csv'}", "write an address such as s3://place/folder"),
        ("{path: 's3://feed/../tx.csv'}", "neither '.', '..' nor"),
        ("{path: 's3://feed/**/tx.csv'}", "nor '[*][*]' may stand"),
        ("{path: 'sftp://me:secret@host/in/tx.csv'}", "a password has no place here"),
        ("{table: t, connection: c, overlap: 5}", "overlap is for a source with a watermark"),
        ("{table: t, connection: c, watermark: w, overlap: soon}", "'soon' is not a duration"),
        ("{table: t, connection: c, simulator: true}", "cannot be simulated"),
        ("{table: t, connection: c, columns: {event_time: {format: '%Y'}}}", "a database gives the time as one column"),
    ],
)
def test_a_source_that_names_no_place_is_refused(tmp_path: Path, source: str, message: str) -> None:
    file = tmp_path / "cards.yaml"
    content = yaml.safe_load(CARDS.read_text())
    file.write_text(yaml.safe_dump({**content, "transactions": yaml.safe_load(source)}))
    with pytest.raises(ConfigurationError, match=message):
        load_portfolio(file)


def test_a_watermark_needs_an_id(portfolios: dict[str, Portfolio]) -> None:
    content = portfolios["ulb"].model_dump(mode="json", exclude_defaults=True)
    with pytest.raises(ValueError, match=r"transactions.0..watermark: needs a column with role 'id'"):
        Portfolio.model_validate({**content, "transactions": yaml.safe_load(_BY_WATERMARK)})


def test_labels_from_elsewhere_need_a_name_of_their_own(portfolios: dict[str, Portfolio]) -> None:
    content = portfolios["cards"].model_dump(mode="json", exclude_defaults=True)
    remote = {"path": "s3://feed/tx_{key}.csv"}
    labels = {"delay": "7d", "source": {"table": "frauds", "connection": "bank"}}
    with pytest.raises(ValueError, match=r"labels.source.name: 'main' is the name of a source of the transactions"):
        Portfolio.model_validate({**content, "transactions": remote, "labels": labels})
    labels["source"] |= {"name": "frauds"}
    Portfolio.model_validate({**content, "transactions": remote, "labels": labels})


def test_where_the_files_of_an_address_are_put() -> None:
    def places(path: str) -> tuple[str, str]:
        source = Source(name="lake", path=path)
        return source.remote_folder, source.local_pattern

    assert places("s3://feed/in/tx.csv") == ("s3://feed/in", "lake/tx.csv")
    assert places("s3://feed/in/tx_{key}.csv*") == ("s3://feed/in", "lake/tx_{key}.csv*")
    assert places("s3://feed/in/day={key}/part-*.csv") == ("s3://feed/in", "lake/day={key}/part-*.csv")
    assert places("sftp://me@host/{key}/tx.csv") == ("sftp://me@host", "lake/{key}/tx.csv")
    assert Source(path="tx_{key}.csv").local_pattern == "tx_{key}.csv"

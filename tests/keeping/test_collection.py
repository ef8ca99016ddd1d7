from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.keeping.collection import collect
from fraudops.keeping.size import disk, measure, storage
from fraudops.keeping.verification import verify

from tests.keeping.conftest import DAYS, Shop, at

NOW = at("2026-03-09T12:00")


def _age(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def _age_all(shop: Shop, moment: datetime) -> None:
    for path in Path(str(shop.ws.store.root)).rglob("*"):
        _age(path, moment)


def test_what_manifests_speak_of_stays_whichever_they_are(shop: Shop) -> None:
    path = shop.file(DAYS[0])
    for amount in ("21.00", "22.00"):
        path.write_text(path.read_text().replace("20.00", amount).replace("21.00", amount))
        shop.land(path)
    # A correction that nobody has published yet.
    path.write_text(path.read_text().replace("22.00", "23.00"))
    land(shop.ws, shop.portfolio, FeedFiles([path]))
    _age_all(shop, NOW - timedelta(days=30))
    before = shop.files()
    assert collect(shop.ws, shop.portfolio, before=NOW).to_dict() == {"unreferenced": 0, "temporary": 0, "bytes": 0}
    assert shop.files() == before


def test_what_nothing_speaks_of_goes_once_it_is_old(shop: Shop) -> None:
    root = Path(str(shop.ws.store.root))
    folder = root / "scores" / "portfolio=shop" / f"date={DAYS[0]}"
    old = [folder / "part-0123456789abcdef.parquet", folder / ".manifest.json.0a1b2c3d"]
    new = [folder / "part-fedcba9876543210.parquet", folder / ".part-01.parquet.0a1b2c3d"]
    for path in (*old, *new):
        path.write_bytes(b"12345")
    for path in old:
        _age(path, NOW - timedelta(days=2))
    for path in new:
        _age(path, NOW)
    found = collect(shop.ws, shop.portfolio, before=NOW - timedelta(days=1))
    assert found.to_dict() == {"unreferenced": 1, "temporary": 1, "bytes": 10}
    assert [path.exists() for path in (*old, *new)] == [False, False, True, True]
    assert verify(shop.ws, shop.portfolio, now=NOW, thorough=True).findings == ()


def test_the_size_of_a_store_is_that_of_its_files(shop: Shop) -> None:
    found = {area.area: area for area in measure(shop.ws.store)}
    assert (found["scores"].partitions, found["scores"].oldest, found["scores"].newest) == (8, DAYS[0], DAYS[-1])
    below = sum(len(content) for name, content in shop.files().items() if name != "format.json")
    assert sum(area.bytes for area in found.values()) == below
    small = storage(shop.ws.store)
    assert small is not None
    assert small.bytes == {"shop": below}
    room = disk(shop.ws.store)
    assert room is not None
    assert 0 < room.free <= room.total

"""The desk with the portfolio's own online state."""

from __future__ import annotations

from fraudops.database import OnlinePayment, open_engine
from fraudops.decisions.immediate import Desk
from fraudops.features import feature_names
from sqlalchemy import func, select

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import NOW, arrival


def test_each_transaction_sees_those_before_it_and_none_is_lost_with_the_database(office: Office) -> None:
    desk = Desk(office.ws, office.portfolio, spool=office.spool)
    with open_engine(office.ws.database_url).connect() as connection:
        desk.decide(connection, [arrival("a", 20.0), arrival("b", 30.0)], office.champion, NOW)
        desk.decide(None, [arrival("c", 40.0)], office.champion, NOW)
        desk.decide(connection, [arrival("d", 50.0), arrival("c", 40.0)], office.champion, NOW)
    found = office.decisions()
    assert [(one.number, one.transaction_id) for one in found] == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    place = feature_names(office.portfolio).index("customer_count_1d")
    assert [one.features[place] for one in found] == [one.features[place] for one in found[:1]] + [
        found[0].features[place] + number for number in (1, 2, 3)
    ]
    with office.ws.transaction() as session:
        kinds = session.scalar(select(func.count()).where(OnlinePayment.transaction_id == "a"))
        assert session.scalar(select(func.count()).select_from(OnlinePayment)) == 4 * (kinds or 0)

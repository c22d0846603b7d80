"""What of a rule may change from night to night."""

import pytest

from sparkguard.measures.conditions import is_lasting


@pytest.mark.parametrize(
    "sql",
    [
        "valid_to >= current_date()",
        "x <= (SELECT max(y) FROM limits)",
        "ts > now() - INTERVAL 1 DAY",
        "rand() < 0.5",
        "id <> uuid()",
        "localtimestamp > ts",
    ],
)
def test_a_rule_that_depends_on_more_than_the_row_does_not_last(sql: str) -> None:
    assert not is_lasting(sql)


@pytest.mark.parametrize("sql", ["selected = 1", "randomised IS NULL", "price > 0", "known_user_id > 1", ""])
def test_a_rule_on_the_row_alone_does(sql: str) -> None:
    assert is_lasting(sql)

"""What tables are called in the file that is made of them."""

import pytest

from sparkguard.core.text import last_part
from sparkguard.proposal.place import Place, names_in_family


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("main.f.clicks", "clicks"),
        ("clicks", "clicks"),
        ("main.f.`my-table`", "my-table"),
        ("main.f.`a.b`", "a.b"),
        ("main.f.`a``b`", "a`b"),
        ("lake/clicks/", "clicks"),
        ("main.f._staging", "_staging"),
    ],
)
def test_a_name_ends_with_its_last_part(name: str, short: str) -> None:
    assert last_part(name) == short


@pytest.mark.parametrize("table", ["_staging", "clicks_", "`my-table`", "`größe`", "`a.b`"])
def test_what_a_suite_may_be_called_a_table_may_be_called_too(table: str) -> None:
    assert Place(table=f"main.f.{table}").can_name_a_suite


def test_what_a_suite_may_not_be_called_is_known() -> None:
    assert not Place(table="main.f.`a b`").can_name_a_suite


def test_folders_get_names_of_their_own_without_dots() -> None:
    places = [Place(path=f"data/{name}") for name in ("sales.2023", "returns.2023", "a b", "a_b", "_a", "a")]
    assert names_in_family(places) == ["sales_2023", "returns_2023", "a_b", "a_b_2", "_a", "a"]
    assert names_in_family([Place(table="main.f.`a.b`")]) == ["main.f.`a.b`"]

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from aiops.accounts import keys
from aiops.database.tables import ApiKey
from tests.fixtures.service import Service


def test_a_key_is_a_prefix_and_36_characters_that_need_no_quoting() -> None:
    assert re.fullmatch(r"aiops_sk_[0-9A-Za-z]{36}", keys.new_key())


def test_no_two_keys_are_alike() -> None:
    assert len({keys.new_key() for _ in range(1000)}) == 1000


@given(st.text(keys.ALPHABET, min_size=30, max_size=30))
def test_every_body_has_one_checksum_that_makes_a_key_of_it(body: str) -> None:
    made = _with_checksum(body)
    assert keys.is_well_formed(made)
    assert len(made) == len(keys.new_key())


@given(st.text(keys.ALPHABET, min_size=30, max_size=30), st.data())
def test_a_typing_error_in_one_character_is_told(body: str, data: st.DataObject) -> None:
    key = _with_checksum(body)
    at = data.draw(st.integers(0, len(key) - 1), "position")
    typed = data.draw(st.characters().filter(lambda one: one != key[at]), "typed instead")
    assert not keys.is_well_formed(key[:at] + typed + key[at + 1 :])


@given(st.text(keys.ALPHABET, min_size=30, max_size=30), st.data())
def test_two_neighbours_typed_in_the_wrong_order_are_told(body: str, data: st.DataObject) -> None:
    key = _with_checksum(body)
    pairs = [at for at in range(len(keys.PREFIX), len(key) - 1) if key[at] != key[at + 1]]
    if not pairs:
        return
    at = data.draw(st.sampled_from(pairs), "position")
    assert not keys.is_well_formed(key[:at] + key[at + 1] + key[at] + key[at + 2 :])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda key: key[:-1], id="cut off"),
        pytest.param(lambda key: key + "a", id="one character more"),
        pytest.param(lambda key: key + "\n", id="line end"),
        pytest.param(lambda key: " " + key, id="leading space"),
        pytest.param(lambda key: key.swapcase(), id="wrong case"),
        pytest.param(lambda key: key.replace("aiops_sk_", "sk_"), id="another prefix"),
        pytest.param(lambda _: "", id="nothing"),
    ],
)
def test_what_is_no_key_is_told(change: object) -> None:
    assert callable(change)
    assert not keys.is_well_formed(change(keys.new_key()))


async def test_the_database_keeps_the_digest_and_what_is_needed_to_recognise_a_key(service: Service) -> None:
    ada = await service.customer()
    async with service.runtime.database.read() as session:
        row = (await session.execute(select(ApiKey))).scalar_one()
    assert row.digest == keys.digest(ada.key)
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)
    assert row.prefix == ada.key[:13]
    assert row.last_four == ada.key[-4:]
    assert not any(ada.key[13:-4] in str(value) for value in row.model_dump().values())


def _with_checksum(body: str) -> str:
    """The key with a given body: its checksum is what `is_well_formed` asks for."""
    return keys.PREFIX + body + keys._checksum(keys.PREFIX + body)

import re
import string
import zlib

from sqlalchemy import select

from aiops.accounts import keys
from aiops.database.tables import ApiKey
from tests.fixtures.service import Service


def test_a_key_is_a_prefix_and_36_characters_that_need_no_quoting() -> None:
    assert re.fullmatch(r"aiops_sk_[0-9A-Za-z]{36}", keys.new_key())


def test_no_two_keys_are_alike() -> None:
    assert len({keys.new_key() for _ in range(1000)}) == 1000


def test_the_last_six_characters_are_a_checksum_that_secret_scanners_recompute() -> None:
    """The CRC-32 of what stands before them, in base 62."""
    key = keys.new_key()
    checksum = 0
    for character in key[-6:]:
        checksum = checksum * 62 + (string.digits + string.ascii_uppercase + string.ascii_lowercase).index(character)
    assert checksum == zlib.crc32(key[:-6].encode())


async def test_the_database_keeps_the_digest_and_what_is_needed_to_recognise_a_key(service: Service) -> None:
    ada = await service.customer()
    async with service.runtime.database.read() as session:
        row = (await session.execute(select(ApiKey))).scalar_one()
    assert row.digest == keys.digest(ada.key)
    assert re.fullmatch(r"[0-9a-f]{64}", row.digest)
    assert row.prefix == ada.key[:13]
    assert row.last_four == ada.key[-4:]
    assert not any(ada.key[13:-4] in str(value) for value in row.model_dump().values())

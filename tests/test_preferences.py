import pytest

from aiops.preferences import Preferences, read_preferences

SENT: list[tuple[list[str], Preferences]] = [
    ([], Preferences()),
    (["respond-async"], Preferences(is_async=True)),
    (["Respond-Async"], Preferences(is_async=True)),
    (["wait=10"], Preferences(wait_seconds=10)),
    (["WAIT=10"], Preferences(wait_seconds=10)),
    (['wait="10"'], Preferences(wait_seconds=10)),
    (["wait = 10"], Preferences(wait_seconds=10)),
    (["wait=0"], Preferences(wait_seconds=0)),
    (["wait=241"], Preferences(wait_seconds=240)),
    (["wait=999999999"], Preferences(wait_seconds=240)),
    (["respond-async, wait=10"], Preferences(True, 10)),
    (["wait=10,respond-async"], Preferences(True, 10)),
    (["respond-async", "wait=10"], Preferences(True, 10)),
    (["wait=10, wait=20"], Preferences(wait_seconds=10)),
    (["respond-async; foo=bar, wait=5 ; x"], Preferences(True, 5)),
    (['return=minimal, handling="strict, wait=9", wait=5'], Preferences(wait_seconds=5)),
    (["wait"], Preferences()),
    (["wait="], Preferences()),
    (["wait=-1"], Preferences()),
    (["wait=1.5"], Preferences()),
    (["wait=٣"], Preferences()),
    (["wait=9999999999"], Preferences()),
    (["wait=soon"], Preferences()),
    (["respond-asynchronously"], Preferences()),
    (['"'], Preferences()),
    ([",,;,="], Preferences()),
]


@pytest.mark.parametrize(("values", "preferences"), SENT)
def test_what_is_understood_counts_and_the_rest_is_left_aside(values: list[str], preferences: Preferences) -> None:
    assert read_preferences(values) == preferences

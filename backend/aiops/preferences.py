"""The header `Prefer` (RFC 7240): how long a call waits for its job. What is not understood is left aside, as the RFC
asks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.request import parse_http_list

WAIT_SECONDS_MAX = 240
_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a call prefers. `wait_seconds` is None where it did not say."""

    is_async: bool = False
    wait_seconds: int | None = None

    @property
    def seconds(self) -> int | None:
        """How long the call waits for its job; None for as long as the job has."""
        return 0 if self.is_async and self.wait_seconds is None else self.wait_seconds

    def applied(self, *, is_accepted: bool) -> dict[str, str]:
        """`Preference-Applied`, for an answer that is 202 or not."""
        names = ["respond-async"] if self.is_async and is_accepted else []
        if self.wait_seconds is not None:
            names.append(f"wait={self.wait_seconds}")
        return {"Preference-Applied": ", ".join(names)} if names else {}


NONE = Preferences()


def read_preferences(values: Sequence[str]) -> Preferences:
    """The preferences in the values of all `Prefer` headers of a call. Of several waits the first counts."""
    stated = [part.partition(";")[0].strip() for part in parse_http_list(", ".join(values))]
    waits = [min(int(found[1]), WAIT_SECONDS_MAX) for part in stated if (found := _WAIT.fullmatch(part))]
    return Preferences(any(part.lower() == "respond-async" for part in stated), waits[0] if waits else None)

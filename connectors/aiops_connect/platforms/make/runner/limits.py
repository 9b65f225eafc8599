"""What a run may use at most: Make's own limits first, then those that keep a hostile app or server in check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run; counts, seconds and bytes as the names say."""

    timeout_seconds: float = 40.0
    timeout_seconds_max: float = 300.0
    requests: int = 100
    pagination_requests: int = 50
    repeats: int = 1000
    redirects: int = 21
    data_bytes: int = 65_536
    run_seconds: float = 2400.0

    calls: int = 2000
    response_bytes: int = 256 * 1024 * 1024
    request_bytes: int = 256 * 1024 * 1024
    file_bytes: int = 1024 * 1024
    bundles: int = 100_000


EXPRESSION_CHARS = 16_384
EXPRESSION_DEPTH = 100
VALUE_ITEMS = 1_000_000
VALUE_CHARS = 64 * 1024 * 1024
VALUE_DEPTH = 100
REGEX_SECONDS = 1.0

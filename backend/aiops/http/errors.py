"""The two ways in which a user's URL fails."""


class UrlError(Exception):
    """`reason` is shown to the caller: a whole sentence that tells nothing of who answered or what."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefusedUrlError(UrlError):
    """Against the rules: the URL, or where it leads, will not be connected to. Trying again changes nothing."""


class FetchError(UrlError):
    """Allowed, but not fetched: dead, broken, too large or too slow."""


class TooLargeError(FetchError):
    """Larger than may be: trying again changes nothing either."""

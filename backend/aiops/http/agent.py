"""How we name ourselves to the servers that we call."""

from importlib.metadata import PackageNotFoundError, version


def user_agent() -> str:
    try:
        return f"aiops/{version('aiops')}"
    except PackageNotFoundError:  # run from a source tree
        return "aiops"

"""`python -m aiops_connect`, and what `aiops-connect` starts."""

import sys


def main() -> None:
    """Starts the command line, or says what to install: the generator comes with the package, what it needs beyond the
    service does not."""
    try:
        from aiops_connect.cli import main as start  # noqa: PLC0415 - only here can its absence be told
    except ModuleNotFoundError as error:
        sys.exit(f"aiops-connect needs {error.name}. Install it with: pip install 'aiops[connect]'")
    start()


if __name__ == "__main__":
    main()

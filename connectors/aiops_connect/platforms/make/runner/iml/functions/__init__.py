"""The built-in functions, by the sections of Make's reference."""

from aiops_connect.platforms.make.runner.iml.functions import (
    arrays,
    crypto,
    dates,
    documents,
    encoding,
    general,
    markup,
    mathematics,
    text,
)
from aiops_connect.platforms.make.runner.iml.functions.registry import FUNCTIONS

__all__ = [
    "FUNCTIONS",
    "arrays",
    "crypto",
    "dates",
    "documents",
    "encoding",
    "general",
    "markup",
    "mathematics",
    "text",
]

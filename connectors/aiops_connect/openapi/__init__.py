"""OpenAPI documents, read into the description of a connector."""

from aiops_connect.openapi.document import Parsed, parse, parse_file

__all__ = ["Parsed", "parse", "parse_file"]

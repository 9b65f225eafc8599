"""Finds the one file in a `multipart/form-data` body as it arrives, RFC 7578.

The parser is python-multipart's, fed by hand: the forms that come with it, and Starlette's `form()` too, would take any
number of parts and keep each in memory or in a file of its own before anybody is asked.
"""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from aiops.contract.models import FileUpload
from aiops.errors import InvalidInputError, MalformedRequestError, UnsupportedMediaTypeError

(FIELD,) = FileUpload.model_fields  # the one field that the document's form has
BOUNDARY_BYTES_MAX = 200
HEADERS_MAX = 8
HEADER_BYTES_MAX = 4096

NOT_A_FORM = f'Send the file as multipart/form-data, uncompressed, in one part named "{FIELD}".'
NOT_VALID = "The body is not valid multipart/form-data."
NOT_WHOLE = "The body did not arrive whole."


def boundary_of(content_type: str) -> bytes:
    """What separates the parts of a body of this type.

    Raises:
        UnsupportedMediaTypeError: it is not `multipart/form-data`.
        MalformedRequestError: it names no boundary, or one that cannot be.
    """
    media_type, options = parse_options_header(content_type)
    if media_type != b"multipart/form-data":
        raise UnsupportedMediaTypeError(NOT_A_FORM)
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= BOUNDARY_BYTES_MAX:
        raise MalformedRequestError(
            "The Content-Type names no boundary of the parts. HTTP libraries set it themselves."
        )
    return boundary


class FileForm:
    """A form with one part `file`. `write` is given its content piece by piece; `name` is what it was sent under.

    Raises:
        MalformedRequestError: it is no form.
        InvalidInputError: it has no file, or something beside it.
    """

    def __init__(self, boundary: bytes, write: Callable[[bytes], object]) -> None:
        self.name: str | None = None
        self._write = write
        self._header, self._value = b"", b""
        self._disposition: bytes | None = None
        self._has_file = self._is_complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._read_header,
                "on_header_value": self._read_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._read_content,
                "on_end": self._end,
            },
            max_header_count=HEADERS_MAX,
            max_header_size=HEADER_BYTES_MAX,
        )

    def feed(self, data: bytes) -> None:
        """The next piece of the body."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedRequestError(NOT_VALID) from error

    def finish(self) -> None:
        """The body has ended."""
        if not self._is_complete:
            raise MalformedRequestError(NOT_WHOLE)
        if not self._has_file:
            raise InvalidInputError([(FIELD, "Field required")])

    def _begin_part(self) -> None:
        self._disposition = None

    def _read_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _read_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise MalformedRequestError(NOT_VALID)
        field = options[b"name"].decode(errors="replace")
        if field != FIELD:
            raise InvalidInputError([(field, "Extra inputs are not permitted")])
        if self._has_file:
            raise InvalidInputError([(FIELD, "Send one file at a time")])
        self._has_file = True
        self.name = options[b"filename"].decode(errors="replace") if b"filename" in options else None

    def _read_content(self, data: bytes, start: int, end: int) -> None:
        self._write(data[start:end])

    def _end(self) -> None:
        self._is_complete = True

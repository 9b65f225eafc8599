"""Between texts and bytes: base64, URL encoding, hashes."""

import base64
import binascii
import hashlib
import hmac
import mimetypes
from urllib.parse import quote, unquote_to_bytes

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, is_missing, to_text, utf8

URI_COMPONENT_SAFE = "!'()*-._~"
URI_SAFE = URI_COMPONENT_SAFE + ";,/?:@&=+$#"
ENCODINGS = ("utf8", "utf-8", "ascii", "hex", "base64", "binary", "latin1")


def to_bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else utf8(to_text(value))


def decode(text: str, encoding: str) -> bytes:
    """The bytes that a text stands for.

    :raises ImlEvaluationError: for an encoding that Make does not have, or text that is not in it
    """
    try:
        match encoding.lower():
            case "hex":
                return bytes.fromhex(text)
            case "base64":
                return base64.b64decode(
                    text.translate({45: "+", 95: "/"}).rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
                )
            case "binary" | "latin1":
                return text.encode("latin-1", "replace")
            case "utf8" | "utf-8" | "ascii" | "text":
                return utf8(text)
    except (ValueError, binascii.Error) as error:
        raise ImlEvaluationError(f"The text is not {encoding}: {error}.") from None
    raise ImlEvaluationError(f"Unknown encoding {encoding!r}. Make has {', '.join(ENCODINGS)}.")


def encode(data: bytes, encoding: str) -> str:
    """The bytes as a text.

    :raises ImlEvaluationError: for an encoding that Make does not have
    """
    match encoding.lower():
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "binary" | "latin1":
            return data.decode("latin-1")
        case "utf8" | "utf-8" | "ascii":
            return data.decode("utf-8", "replace")
    raise ImlEvaluationError(f"Unknown encoding {encoding!r}. Make has {', '.join(ENCODINGS)}.")


def _named(encoding: Value, otherwise: str) -> str:
    return otherwise if is_missing(encoding) or encoding == "" else to_text(encoding)


@function("base64(value)")
def base64_(_: Context, value: Value) -> Value:
    return base64.b64encode(to_bytes(value)).decode()


@function("md5(text)")
def md5(_: Context, text: Value) -> Value:
    return hashlib.md5(to_bytes(text), usedforsecurity=False).hexdigest()


def _hash(name: str, value: Value, encoding: Value, key: Value, key_encoding: Value) -> str:
    """The hash of a value, or its HMAC where there is a key."""
    data = to_bytes(value)
    if is_missing(key):
        digest = hashlib.new(name, data, usedforsecurity=False).digest()
    else:
        secret = key if isinstance(key, bytes) else decode(to_text(key), _named(key_encoding, "text"))
        digest = hmac.new(secret, data, name).digest()
    return encode(digest, _named(encoding, "hex"))


@function("sha1(text, [encoding], [key], [keyEncoding])")
def sha1(
    _: Context, text: Value, encoding: Value = UNDEFINED, key: Value = UNDEFINED, key_encoding: Value = UNDEFINED
) -> Value:
    return _hash("sha1", text, encoding, key, key_encoding)


@function("sha256(text, [encoding], [key], [keyEncoding])")
def sha256(
    _: Context, text: Value, encoding: Value = UNDEFINED, key: Value = UNDEFINED, key_encoding: Value = UNDEFINED
) -> Value:
    return _hash("sha256", text, encoding, key, key_encoding)


@function("sha512(text, [encoding], [key], [keyEncoding])")
def sha512(
    _: Context, text: Value, encoding: Value = UNDEFINED, key: Value = UNDEFINED, key_encoding: Value = UNDEFINED
) -> Value:
    return _hash("sha512", text, encoding, key, key_encoding)


@function("toString(value, [encoding])")
def to_string(_: Context, value: Value, encoding: Value = UNDEFINED) -> Value:
    return encode(value, _named(encoding, "utf8")) if isinstance(value, bytes) else to_text(value)


@function("toBinary(value, [encoding])")
def to_binary(_: Context, value: Value, encoding: Value = UNDEFINED) -> Value:
    return value if isinstance(value, bytes) else decode(to_text(value), _named(encoding, "utf8"))


@function("encodeURL(text)")
def encode_url(_: Context, text: Value) -> Value:
    """As JavaScript's encodeURIComponent."""
    return quote(to_text(text), safe=URI_COMPONENT_SAFE, errors="replace")


@function("decodeURL(text)")
def decode_url(_: Context, text: Value) -> Value:
    """As JavaScript's decodeURIComponent: a plus stays a plus."""
    try:
        return unquote_to_bytes(to_text(text)).decode()
    except UnicodeDecodeError:
        raise ImlEvaluationError("The text is not URL-encoded UTF-8.") from None


@function("mime(fileName)")
def mime(_: Context, file_name: Value) -> Value:
    """The media type of a file's extension; undefined where there is none."""
    return mimetypes.guess_type(to_text(file_name))[0] or UNDEFINED

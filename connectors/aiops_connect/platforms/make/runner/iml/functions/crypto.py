"""Signatures that Make's runtime adds to the functions of IML."""

import base64
import hashlib
import warnings
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from jwt.warnings import InsecureKeyLengthWarning

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.functions.encoding import encode, to_bytes
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    Value,
    is_missing,
    is_number,
    plain,
    to_milliseconds,
    to_text,
)

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA1": hashes.SHA1,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
CLAIMS = {"audience": "aud", "issuer": "iss", "subject": "sub", "jwtid": "jti"}
OPTIONS = {*CLAIMS, "algorithm", "expiresIn", "notBefore", "header", "keyid", "noTimestamp"}
THUMBPRINTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


@function("jwt(payload, secret, [algorithm], [options])")
def jwt_(
    context: Context, payload: Value, secret: Value, algorithm: Value = UNDEFINED, options: Value = UNDEFINED
) -> Value:
    """HS256 unless told otherwise; `iat` is set only where the payload or the options ask for it."""
    chosen = options if isinstance(options, dict) else {}
    if unknown := set(chosen) - OPTIONS:
        raise ImlEvaluationError(f"Unknown option {min(unknown)!r}. This runner knows {', '.join(sorted(OPTIONS))}.")
    header = dict(plain(chosen.get("header", {})))
    if "keyid" in chosen:
        header["kid"] = to_text(chosen["keyid"])
    name = to_text(chosen.get("algorithm", UNDEFINED if is_missing(algorithm) else algorithm)) or "HS256"
    return _encode(_claims(context, payload, chosen), secret, name, header)


def _claims(context: Context, payload: Value, options: dict[str, Value]) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise ImlEvaluationError("The payload is a collection.")
    claims = dict(plain(payload))
    claims |= {claim: plain(options[name]) for name, claim in CLAIMS.items() if name in options}
    now = to_milliseconds(context.clock.now()) // 1000
    if options.get("noTimestamp") is False:
        claims.setdefault("iat", now)
    for name, claim in (("expiresIn", "exp"), ("notBefore", "nbf")):
        if name in options:
            if not is_number(options[name]):
                raise ImlEvaluationError(f"The option {name!r} is a number of seconds.")
            claims[claim] = claims.get("iat", now) + int(options[name])
    return claims


def _encode(claims: dict[str, Any], secret: Value, algorithm: str, header: dict[str, Any]) -> str:
    try:
        with warnings.catch_warnings(action="ignore", category=InsecureKeyLengthWarning):
            return jwt.encode(claims, secret if isinstance(secret, bytes) else to_text(secret), algorithm, header)
    except (jwt.PyJWTError, NotImplementedError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ImlEvaluationError(f"The token cannot be signed: {error}.") from None


@function("generateJwtWithKeyId(payload, key, [algorithm], [thumbprintAlgorithm], [options])")
def generate_jwt_with_key_id(context: Context, payload: Value, key: Value, *rest: Value) -> Value:
    """As `jwt`, with the thumbprint of the key (RFC 7638) as `kid`; HS512 and HS256 unless told otherwise."""
    algorithm, thumbprint_algorithm, options = (*rest, UNDEFINED, UNDEFINED, UNDEFINED)[:3]
    name = "HS256" if is_missing(thumbprint_algorithm) else to_text(thumbprint_algorithm)
    if name not in THUMBPRINTS:
        raise ImlEvaluationError(f"Unknown algorithm {name!r}. Make has {', '.join(THUMBPRINTS)}.")
    members = f'{{"k":"{_base64url(to_bytes(key))}","kty":"oct"}}'
    thumbprint = _base64url(hashlib.new(THUMBPRINTS[name], members.encode()).digest())
    chosen = {**(options if isinstance(options, dict) else {}), "keyid": thumbprint}
    return jwt_(context, payload, key, "HS512" if is_missing(algorithm) else algorithm, chosen)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@function("cryptoSign(algorithm, data, key, [outputEncoding])")
def crypto_sign(_: Context, algorithm: Value, data: Value, key: Value, output_encoding: Value = UNDEFINED) -> Value:
    """The signature of a private key in PEM, as Node's crypto.sign(): PKCS #1 v1.5 for RSA, DER for elliptic curves."""
    try:
        private = serialization.load_pem_private_key(to_bytes(key), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ImlEvaluationError("The key is not a private key in PEM format without a password.") from None
    signature = _sign(private, to_bytes(data), to_text(algorithm))
    return encode(signature, "hex" if is_missing(output_encoding) else to_text(output_encoding))


def _sign(private: object, data: bytes, algorithm: str) -> bytes:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(data)
    name = algorithm.upper().replace("-", "").removeprefix("RSA")
    if name not in HASHES:
        raise ImlEvaluationError(f"Unknown algorithm {algorithm!r}. This runner knows {', '.join(HASHES)}.")
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, padding.PKCS1v15(), HASHES[name]())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(HASHES[name]()))
    raise ImlEvaluationError("The key is neither RSA, nor of an elliptic curve, nor Ed25519.")

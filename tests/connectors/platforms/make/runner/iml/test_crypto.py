"""Signatures: verified by the library that makes them for others."""

import base64
import hashlib

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from aiops_connect.platforms.make.runner.iml.errors import ImlError
from tests.connectors.platforms.make.runner.iml.conftest import Evaluate

SECRET = "s" * 64
NOON = 1_772_625_600
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def pem(key: PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_rsa(evaluate: Evaluate) -> None:
    key = rsa.generate_private_key(65537, 1024)
    for name in ("SHA256", "RSA-SHA256"):
        signature = bytes.fromhex(evaluate(f"{{{{cryptoSign('{name}', 'data', key)}}}}", key=pem(key)))
        key.public_key().verify(signature, b"data", padding.PKCS1v15(), hashes.SHA256())


def test_elliptic_curve_in_base64(evaluate: Evaluate) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = evaluate("{{cryptoSign('sha512', buffer, key, 'base64')}}", key=pem(key))
    key.public_key().verify(base64.b64decode(signature), b"\x00\xff", ec.ECDSA(hashes.SHA512()))


def test_ed25519(evaluate: Evaluate) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    signature = evaluate("{{cryptoSign(null, 'data', key)}}", key=pem(key))
    key.public_key().verify(bytes.fromhex(signature), b"data")


def test_an_algorithm_that_there_is_not(evaluate: Evaluate) -> None:
    key = pem(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ImlError, match=r"Unknown algorithm 'MD5'\. This runner knows SHA1, SHA256, SHA384, SHA512"):
        evaluate("{{cryptoSign('MD5', 'data', key)}}", key=key)


def test_a_token_with_options(evaluate: Evaluate) -> None:
    options = {"expiresIn": 60, "notBefore": 5, "audience": "a", "keyid": "k", "noTimestamp": False, "header": {"x": 1}}
    token = evaluate("{{jwt(payload, secret, 'HS512', options)}}", payload={"sub": "s"}, secret=SECRET, options=options)
    assert jwt.get_unverified_header(token) == {"alg": "HS512", "typ": "JWT", "kid": "k", "x": 1}
    assert jwt.decode(token, SECRET, ["HS512"], audience="a", options={"verify_exp": False, "verify_nbf": False}) == {
        "sub": "s", "iat": NOON, "exp": NOON + 60, "nbf": NOON + 5, "aud": "a",
    }  # fmt: skip


def test_a_token_has_no_time_unless_asked(evaluate: Evaluate) -> None:
    token = evaluate("{{jwt(payload, secret)}}", payload={"sub": "s"}, secret=SECRET)
    assert jwt.decode(token, SECRET, ["HS256"]) == {"sub": "s"}


def test_a_short_key_is_the_apps_choice(evaluate: Evaluate) -> None:
    assert evaluate("{{jwt(payload, 'short')}}", payload={}).count(".") == 2


def test_an_option_that_there_is_not(evaluate: Evaluate) -> None:
    with pytest.raises(ImlError, match=r"Unknown option 'expires'\. This runner knows algorithm, audience"):
        evaluate("{{jwt(payload, secret, 'HS256', options)}}", payload={}, secret=SECRET, options={"expires": 1})


def test_the_thumbprint_of_the_key(evaluate: Evaluate) -> None:
    """RFC 7638: the hash of the required members in the order of their names."""
    token = evaluate("{{generateJwtWithKeyId(payload, secret)}}", payload={"sub": "s"}, secret=SECRET)
    k = base64.urlsafe_b64encode(SECRET.encode()).rstrip(b"=").decode()
    digest = hashlib.sha256(f'{{"k":"{k}","kty":"oct"}}'.encode()).digest()
    header = {"alg": "HS512", "typ": "JWT", "kid": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}
    assert jwt.get_unverified_header(token) == header
    assert jwt.decode(token, SECRET, ["HS512"]) == {"sub": "s"}

"""The `oauth` directive: OAuth 1.0a signatures (RFC 5849), made by oauthlib."""

from dataclasses import dataclass, replace

from oauthlib import oauth1 as rfc5849

from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.iml.values import is_missing, to_text
from aiops_connect.platforms.make.runner.run import Run

METHODS = {"HMAC-SHA1": rfc5849.SIGNATURE_HMAC_SHA1, "RSA-SHA1": rfc5849.SIGNATURE_RSA_SHA1, "PLAINTEXT": "PLAINTEXT"}
TRANSPORTS = {
    "header": rfc5849.SIGNATURE_TYPE_AUTH_HEADER,
    "query": rfc5849.SIGNATURE_TYPE_QUERY,
    "body": rfc5849.SIGNATURE_TYPE_BODY,
}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What a signature covers, and where it goes."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None


def sign(run: Run, block: Block, request: Unsigned) -> Unsigned:
    """The request with the signature in its URL, headers or body.

    :raises AppError: for a directive that oauthlib cannot sign with
    """
    options = {name: to_text(value) for name, value in run.evaluate(block).items() if not is_missing(value)}
    signature_method = options.get("signature_method", "HMAC-SHA1")
    transport = options.get("transport_method", "header")
    if signature_method not in METHODS or transport not in TRANSPORTS:
        raise block.error(f"OAuth 1 signs with {', '.join(METHODS)} and sends by {', '.join(TRANSPORTS)}.")
    client = rfc5849.Client(
        options.get("consumer_key", ""),
        client_secret=options.get("consumer_secret"),
        resource_owner_key=options.get("token"),
        resource_owner_secret=options.get("token_secret"),
        verifier=options.get("verifier"),
        rsa_key=options.get("private_key"),
        signature_method=METHODS[signature_method],
        signature_type=TRANSPORTS[transport],
    )
    form = request.content.decode() if request.content and request.headers.get("content-type") == FORM else None
    try:
        url, headers, body = client.sign(request.url, request.method, body=form, headers=request.headers)
    except ValueError as error:
        raise block.error(f"The request cannot be signed: {error}.") from None
    signed = replace(request, url=url, headers={name.lower(): value for name, value in headers.items()})
    return signed if form is None else replace(signed, content=body.encode())

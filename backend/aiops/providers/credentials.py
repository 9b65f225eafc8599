"""What the operator sets for a provider, each under the name that its own documentation has for it."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aiops.http import RefusedUrlError, authority_of
from aiops.settings import plain


def _address(value: str) -> str:
    try:
        authority_of(value)  # which reads it as it is read when it is called
        is_address = urlsplit(value).port != 0 and "?" not in value and "#" not in value
    except (RefusedUrlError, ValueError):  # of which the second is a port above 65535
        is_address = False
    if not is_address:
        raise ValueError("Write it as https://host/path, without a key in it")
    return value.rstrip("/")


def _key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("It has white space or characters that no key has. Was it copied whole?")
    return value


Address = Annotated[str, AfterValidator(_address)]
Key = Annotated[SecretStr, AfterValidator(_key)]


class ProviderSettings(BaseSettings):
    """The base of each provider's settings. Every field has a `validation_alias`: its variable."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    @classmethod
    def read(cls, provider: str) -> "Any":
        """From the environment.

        Raises:
            ValueError: one is missing, or cannot be used; the message says which, and not what it holds.
        """
        try:
            return cls()
        except ValidationError as error:
            raise ValueError(_sentence(provider, error)) from None


def _sentence(provider: str, error: ValidationError) -> str:
    problems = []
    for one in error.errors(include_input=False, include_url=False):
        name = str(one["loc"][0])
        problems.append(
            f"{name} is not set" if one["type"] == "missing" else f"{name}: {plain(one['msg']).rstrip('.')}"
        )
    return f"The provider {provider} (AIOPS_PROVIDERS) cannot be used: {'; '.join(problems)}."

"""What a provider's answer must be to count as one. Anything else is the provider's failure, not the caller's."""

from aiops.providers.base import Media, ProviderUnavailableError, Transcript
from aiops.providers.images import is_cut_off
from aiops.storage import content_types
from aiops.storage.content_types import ContentType

TEXT_LENGTH_MAX = 1_000_000
MEDIA_BYTES_MAX = 50 * 1024 * 1024


def checked_image(media: Media) -> ContentType:
    """The type of a generated image. Raises ProviderUnavailableError where it is none, or not a whole one."""
    detected = _checked_media(media, content_types.IMAGES, "an image")
    if is_cut_off(media.data):
        raise ProviderUnavailableError("The provider answered with an image that is cut off.")
    return detected


def checked_speech(media: Media) -> ContentType:
    """The type of generated speech. Raises ProviderUnavailableError where it is none."""
    return _checked_media(media, content_types.SPEECH, "a recording")


def checked_transcript(transcript: Transcript) -> None:
    """Raises ProviderUnavailableError where there is no text, or none that can be kept."""
    text = transcript.text
    if not text.strip() or len(text) > TEXT_LENGTH_MAX or "\0" in text or not _is_unicode(text):
        raise ProviderUnavailableError("The provider answered without a usable text.")


def _checked_media(media: Media, among: tuple[ContentType, ...], noun: str) -> ContentType:
    detected = content_types.detect(media.data, among) if len(media.data) <= MEDIA_BYTES_MAX else None
    if detected is None:
        raise ProviderUnavailableError(f"The provider answered with something that is not {noun}.")
    return detected


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

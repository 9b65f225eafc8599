"""espeak-ng through the shared library of the `espeakng-loader` wheel. GPL: import it in the child process only."""

import ctypes
import os
from pathlib import Path

import espeakng_loader

# From espeak-ng's speak_lib.h.
AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
CHARS_UTF8 = 1
POSITION_CHARACTER = 1
PARAMETER_RATE = 1
PARAMETER_PITCH = 3

Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakError(Exception):
    """The library, its data or the voice is missing."""


def synthesize(text: str, voice: str, pitch: int, words_a_minute: int) -> tuple[bytes, int]:
    """`text` as signed 16-bit mono samples, and their rate in Hz. Raises EspeakError."""
    pcm = bytearray()

    def receive(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, count * 2))
        return 0

    library, rate_hz = started()
    callback = Callback(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise EspeakError(f"no voice {voice}")
    library.espeak_SetParameter(PARAMETER_RATE, words_a_minute, 0)
    library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
    speak(library, text.encode())
    return bytes(pcm), rate_hz


def started() -> tuple[ctypes.CDLL, int]:
    """The library, ready, and its sample rate in Hz. Raises EspeakError."""
    data = Path(espeakng_loader.get_data_path())
    # Relative, because the library keeps paths in 160 bytes and virtual environments lie deep.
    os.chdir(data.parent)
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError as error:
        raise EspeakError(str(error)) from error
    rate_hz = library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data.name), INITIALIZE_DONT_EXIT)
    if rate_hz <= 0:
        raise EspeakError(f"espeak_Initialize: {rate_hz}")
    library.espeak_ng_SetRandSeed(1)  # its own seed is the time: the same text would sound different each time
    return library, rate_hz


def speak(library: ctypes.CDLL, text: bytes) -> None:
    """Speak all of `text` before returning. Raises EspeakError."""
    library.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
        *(ctypes.c_void_p, ctypes.c_void_p),
    ]
    status = library.espeak_Synth(text, len(text) + 1, 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None)
    if status != 0:
        raise EspeakError(f"espeak_Synth: {status}")
    library.espeak_Synchronize()

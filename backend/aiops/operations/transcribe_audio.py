from aiops.contract.models import TranscriptionRequest, TranscriptionResult
from aiops.errors import ApiError, InvalidInputError
from aiops.http.errors import RefusedUrlError
from aiops.http.urls import check_url
from aiops.jobs.execution import JobContext
from aiops.providers.answers import checked_transcript
from aiops.providers.base import Call, Transcript, TranscriptionProvider
from aiops.runtime import Runtime


def check(request: TranscriptionRequest, runtime: Runtime) -> ApiError | None:
    """Refuses a link that can be told to lead nowhere public; a name is looked at when it is resolved."""
    if runtime.urls.file_of(request.audio_url, runtime.clock()) is not None:
        return None
    if request.audio_url.startswith(f"{runtime.urls.public_url}/files/"):
        return InvalidInputError([("audio_url", "The link has expired or is not complete; take it as it was answered")])
    try:
        check_url(request.audio_url, runtime.settings.private_hosts)
    except RefusedUrlError as error:
        return InvalidInputError([("audio_url", error.reason)])
    return None


async def handle(request: TranscriptionRequest, job: JobContext) -> TranscriptionResult:
    audio = await job.fetch_audio(request.audio_url)

    async def transcribe(provider: TranscriptionProvider, call: Call) -> Transcript:
        return await provider.transcribe_audio(audio, request.language, request.model, call)

    transcript = await job.run(TranscriptionProvider, transcribe, checked_transcript)
    return TranscriptionResult(text=transcript.text, success=True)

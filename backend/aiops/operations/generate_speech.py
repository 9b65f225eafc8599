from aiops.contract.models import SpeechRequest, SpeechResult
from aiops.jobs.execution import JobContext
from aiops.providers.answers import checked_speech
from aiops.providers.base import Call, Media, SpeechProvider


async def handle(request: SpeechRequest, job: JobContext) -> SpeechResult:
    async def generate(provider: SpeechProvider, call: Call) -> Media:
        return await provider.generate_speech(request.text, request.voice, request.model, call)

    speech = await job.run(SpeechProvider, generate, checked_speech)
    return SpeechResult(audio_url=await job.store(speech, checked_speech(speech)), success=True)

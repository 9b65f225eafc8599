from aiops.contract.models import ImageRequest, ImageResult
from aiops.jobs.execution import JobContext
from aiops.providers.answers import checked_image
from aiops.providers.base import Call, ImageProvider, Media


async def handle(request: ImageRequest, job: JobContext) -> ImageResult:
    async def generate(provider: ImageProvider, call: Call) -> Media:
        return await provider.generate_image(request.prompt, request.style, request.aspect_ratio, request.model, call)

    image = await job.run(ImageProvider, generate, checked_image)
    return ImageResult(image_url=await job.store(image, checked_image(image)), success=True)

from aiops.contract.models import Health


async def handle() -> Health:
    return Health(status="ok")

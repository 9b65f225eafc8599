"""Files in a bucket of S3, or of what speaks its protocol. A file is durable once its upload is answered.

Credentials, region and endpoint are read by obstore from the usual `AWS_*` variables. Whatever is asked of the bucket
has an end: each request its time, each repeat its number.
"""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

from aiops.storage.content_types import ContentType
from aiops.storage.files import FileStore, NoSuchFileError, StorageError, storage_errors

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

# What of a file is in memory at once: so many parts of this size.
PART_BYTES = 5 * 1024 * 1024  # S3 takes none that are smaller
PARTS_AT_ONCE = 2
WHAT_TO_CHECK = (
    "Check AIOPS_STORAGE_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, unless it is Amazon's, "
    "AWS_ENDPOINT_URL."
)
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
RETRIES: "RetryConfig" = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2)},
}


class BucketStore(FileStore):
    """Files below a prefix of a bucket, which has to be there.

    Raises:
        StorageError: one of the variables cannot be used.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        with storage_errors():
            objects = S3Store(bucket, prefix=prefix or None, client_options=_client(), retry_config=RETRIES)
        super().__init__(objects)

    async def _write(self, key: str, content: bytes | Path, content_type: ContentType) -> None:
        try:
            with storage_errors():
                await obstore.put_async(
                    self._objects,
                    key,
                    content,
                    attributes={"Content-Type": content_type.name},
                    chunk_size=PART_BYTES,
                    max_concurrency=PARTS_AT_ONCE,
                )
        except FileNotFoundError as error:
            raise StorageError("The bucket does not exist.") from error

    async def material(self, file_id: str, target: Path) -> Path:
        size_bytes = await self.size(file_id)
        if size_bytes is None:
            raise NoSuchFileError(file_id)
        with target.open("wb") as file:
            for start in range(0, size_bytes, PART_BYTES):
                part = await self.read(file_id, start, min(PART_BYTES, size_bytes - start))
                await asyncio.to_thread(file.write, part)
        return target

    async def check(self) -> None:
        try:
            await super().check()
        except StorageError as error:
            raise StorageError(f"{error} {WHAT_TO_CHECK}") from error


def _client() -> "ClientConfig":
    """Bounds of time; without TLS only where the operator has named such an endpoint."""
    endpoint = next((os.environ[name] for name in ENDPOINT_VARIABLES if os.environ.get(name)), "")
    return {
        "connect_timeout": timedelta(seconds=5),
        "timeout": timedelta(seconds=30),
        "allow_http": endpoint.startswith("http://"),
    }

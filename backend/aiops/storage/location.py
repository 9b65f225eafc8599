"""Where files are kept, by `AIOPS_STORAGE_URL`."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from aiops.storage.bucket import BucketStore
from aiops.storage.files import FileStore
from aiops.storage.folder import FolderStore


def open_store(url: str | None, default_folder: Path) -> FileStore:
    """The store of a URL that `settings.py` has checked; without one, the default folder.

    Raises:
        StorageError: the folder cannot be made, or a variable of S3 cannot be used.
    """
    if url is None:
        return FolderStore(default_folder)
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    return BucketStore(parts.netloc, parts.path.strip("/"))

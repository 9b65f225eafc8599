from pathlib import Path

import pytest

from aiops.settings import Settings
from aiops.storage.bucket import BucketStore
from aiops.storage.folder import FolderStore
from aiops.storage.location import open_store
from tests.fixtures.buckets import S3


def test_files_lie_in_the_data_folder_unless_something_else_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    store = open_store(settings.storage_url, settings.files_dir)
    assert isinstance(store, FolderStore)
    assert store.folder == tmp_path / "data" / "files"


def test_a_folder_is_named_by_its_url(tmp_path: Path) -> None:
    url = (tmp_path / "söme folder").as_uri()
    assert "%20" in url
    store = open_store(Settings(storage_url=url).storage_url, tmp_path / "data")
    assert isinstance(store, FolderStore)
    assert store.folder == tmp_path / "söme folder"
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("folder", ["", "/", "/some/folder", "/some/folder/"])
async def test_a_bucket_is_named_by_its_url_with_or_without_a_folder(
    s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    bucket = s3.new_bucket().removesuffix("/some/folder")
    store = open_store(Settings(storage_url=bucket + folder).storage_url, tmp_path / "data")
    assert isinstance(store, BucketStore)
    await store.check()
    assert not (tmp_path / "data").exists()

"""Who publishes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiops_connect import ir
from aiops_connect.publisher import PublisherError, load_publisher, unpublishable
from tests.fixtures.publisher import PUBLISHER, SETTINGS

APP = ir.App("things", "Things", "1", "", (ir.Server("https://api.things.test"),), None, ())


def written(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "publisher.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_settings_are_read(tmp_path: Path) -> None:
    assert load_publisher(written(tmp_path, SETTINGS)) == PUBLISHER


def test_where_nobody_has_said_who_publishes_it_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(PublisherError, match=r"^publisher\.yaml: There is no such file\. Say there .*\(name, .*icon\)"):
        load_publisher(tmp_path / "publisher.yaml")


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        pytest.param([], ["publisher.yaml: It has to be an object."], id="no object"),
        pytest.param(
            {**SETTINGS, "author": ""},
            ["publisher.yaml#/author: It has to be a text of at most 300 characters."],
            id="empty",
        ),
        pytest.param(
            {k: v for k, v in SETTINGS.items() if k != "icon"}, ["publisher.yaml#/icon: Add it."], id="missing"
        ),
        pytest.param(
            {**SETTINGS, "url": "x"},
            [f"publisher.yaml#/url: There is no such setting. There are {', '.join(SETTINGS)}."],
            id="unknown",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_told(tmp_path: Path, settings: Any, problems: list[str]) -> None:
    with pytest.raises(PublisherError) as failure:
        load_publisher(written(tmp_path, settings))
    assert [str(problem) for problem in failure.value.problems] == problems


REAL = replace(
    PUBLISHER,
    email="a@things.test",
    repository="https://things.test/c",
    homepage="https://things.test",
    support="https://things.test/s",
)


def test_addresses_of_nobody_are_not_published(tmp_path: Path) -> None:
    (tmp_path / "icon.svg").write_text("<svg/>")
    path = tmp_path / "publisher.yaml"
    assert unpublishable(APP, REAL, path) == []
    pointers = [problem.pointer for problem in unpublishable(APP, PUBLISHER, path)]
    assert pointers == [f"publisher.yaml#/{name}" for name in ("email", "repository", "homepage", "support")]


def test_the_base_url_matters_where_the_api_has_no_address_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "icon.svg").write_text("<svg/>")
    relative = replace(APP, servers=(ir.Server(""),))
    found = unpublishable(relative, REAL, tmp_path / "publisher.yaml")
    assert [problem.pointer for problem in found] == ["publisher.yaml#/base_url"]


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"the rest"


def test_a_logo_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(png(512, 512))
    assert load_publisher(written(tmp_path, SETTINGS)).logo_png == png(512, 512)


@pytest.mark.parametrize("content", [b"", b"<svg/>", png(512, 256), png(256, 256)])
def test_a_logo_is_a_png_of_one_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    with pytest.raises(PublisherError) as failure:
        load_publisher(written(tmp_path, SETTINGS))
    assert str(failure.value) == "publisher.yaml#/logo: It has to be a PNG of 512 by 512 pixels."


def test_an_icon_has_to_be_there_and_a_server_somebodys(tmp_path: Path) -> None:
    app = replace(APP, servers=(ir.Server("https://api.things.example"),))
    found = unpublishable(app, REAL, tmp_path / "publisher.yaml")
    assert [problem.pointer for problem in found] == ["#/servers", "publisher.yaml#/icon"]

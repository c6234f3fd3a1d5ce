"""b2sdk from PyPI against the simulator over HTTP, and which of its public names a test uses."""

from __future__ import annotations

import functools
import inspect
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from b2sdk import v3 as b2sdk

from b2fast.simulator import SimulatorServer

PART_SIZE = 2000
"""Bytes that the simulator recommends for parts."""
MINIMUM_PART_SIZE = 1000


@dataclass
class World:
    """An account at a simulator and an API object that is signed in.

    :param directory: an empty one for local files.
    """

    server: SimulatorServer
    directory: Path
    api: b2sdk.B2Api
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_bucket(self, bucket_type: str = 'allPrivate', **settings: Any) -> b2sdk.Bucket:
        return self.api.create_bucket(f'bucket-{next(self._numbers)}', bucket_type, **settings)

    def new_file(self, content: bytes, name: str = 'source') -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path


def new_server(data_dir: Path | None = None) -> SimulatorServer:
    return SimulatorServer(
        data_dir=data_dir,
        minimum_part_size=MINIMUM_PART_SIZE,
        recommended_part_size=PART_SIZE,
        custom_timestamps=True,
    )


def new_api(server: SimulatorServer, key: b2sdk.FullApplicationKey | None = None) -> b2sdk.B2Api:
    """An API object, signed in with a key or else the master key."""
    api = b2sdk.B2Api(b2sdk.InMemoryAccountInfo())
    key_id, secret = (key.id_, key.application_key) if key else (server.key_id, server.key)
    api.authorize_account(key_id, secret, realm=server.url)
    return api


def content(downloaded: b2sdk.DownloadedFile) -> bytes:
    stream = io.BytesIO()
    downloaded.save(stream)
    return stream.getvalue()


def names(bucket: b2sdk.Bucket, **options: Any) -> list[str]:
    return [version.file_name for version, _ in bucket.ls(recursive=True, **options)]


def public_names(cls: type) -> set[str]:
    """The public methods and properties of a class."""
    return {name for name in dir(cls) if not name.startswith('_') and _is_code(cls, name)}


def record_uses(cls: type, used: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Note each public method and property of a class when a test uses it.

    What b2sdk itself calls does not count.
    """
    for name in public_names(cls):
        note = functools.partial(_note, name, used)
        member = inspect.getattr_static(cls, name)
        if isinstance(member, property):
            noted: Any = property(_noted(member.fget, note))
        elif isinstance(member, classmethod):
            noted = classmethod(_noted(member.__func__, note))
        else:
            noted = _noted(member, note)
        monkeypatch.setattr(cls, name, noted)


def _is_code(cls: type, name: str) -> bool:
    member = inspect.getattr_static(cls, name)
    return inspect.isfunction(member) or isinstance(member, property | classmethod)


def _note(name: str, used: set[str]) -> None:
    if sys._getframe(2).f_globals['__name__'].startswith(__package__):
        used.add(name)


def _noted(function: Callable[..., Any] | None, note: Callable[[], None]) -> Callable[..., Any]:
    assert function is not None

    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        note()
        return function(*args, **kwargs)

    return noted

"""The whole public API of b2sdk against one simulator, which keeps its content in a directory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from b2sdk import v3 as b2sdk

from . import (
    test_b2sdk_account,
    test_b2sdk_copies,
    test_b2sdk_encryption,
    test_b2sdk_events,
    test_b2sdk_files,
    test_b2sdk_locks,
    test_b2sdk_sync,
)
from .sdk import World, new_api, new_server, public_names, record_uses

STEPS = [
    step
    for module in (
        test_b2sdk_account,
        test_b2sdk_files,
        test_b2sdk_copies,
        test_b2sdk_encryption,
        test_b2sdk_sync,
        test_b2sdk_events,
        # Moves the clock.
        test_b2sdk_locks,
    )
    for name, step in vars(module).items()
    if name.startswith('test_')
]

NOT_USED = {
    # Made from answers of B2, by the methods that return them.
    b2sdk.ApplicationKey: {'from_api_response', 'parse_response_dict'},
    b2sdk.FullApplicationKey: {'from_create_response', 'parse_response_dict'},
}


def test_every_public_method_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: dict[type, set[str]] = {
        cls: set()
        for cls in (
            b2sdk.B2Api,
            b2sdk.Bucket,
            b2sdk.FileVersion,
            b2sdk.DownloadVersion,
            b2sdk.DownloadedFile,
            b2sdk.ApplicationKey,
            b2sdk.FullApplicationKey,
            b2sdk.Synchronizer,
        )
    }
    for cls, names in used.items():
        record_uses(cls, names, monkeypatch)
    data_dir = tmp_path / 'data-dir'
    data_dir.mkdir()
    with new_server(data_dir) as server:
        world = World(server, tmp_path, new_api(server))
        for step in STEPS:
            directory = tmp_path / f'{step.__module__}.{step.__name__}'
            directory.mkdir()
            step(dataclasses.replace(world, directory=directory))
        assert server.calls['failed'] == server.calls['unknown'] == 0
        paths = [request.path.split('/') for request in server.requests]
        assert {path[2] for path in paths if path[1] == 'b2api'} == {'v4'}
    unused = {cls: public_names(cls) - names for cls, names in used.items()}
    assert {cls: names for cls, names in unused.items() if names} == NOT_USED

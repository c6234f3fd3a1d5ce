"""What the engine does with signals, callbacks and forks."""

from __future__ import annotations

import os
import threading

import pytest

from b2fast._core.server import Response
from b2fast._core.transfer import Download, Engine, Leases, Retry, Source

from ..test_http_server import serving


def test_a_signal_is_not_lost_behind_an_error_of_the_transfer() -> None:
    failed, interrupted = threading.Event(), threading.Event()
    both_started = threading.Barrier(2)

    def upload_url() -> tuple[str, str]:
        if both_started.wait() == 0:
            failed.set()
            raise ValueError('no upload URL')
        # The transfer cannot end before the callback of its caller has raised.
        interrupted.wait()
        raise ValueError('no upload URL either')

    def progress(byte_count: int, retried: int) -> None:
        failed.wait()
        interrupted.set()
        raise KeyboardInterrupt

    engine = Engine(user_agent='test', connections=2)
    with pytest.raises(KeyboardInterrupt):
        engine.upload_parts(
            Source.of_bytes(b'xy'),
            Leases(upload_url),
            [],
            [(1, 0, 1, None), (2, 1, 1, None)],
            retry=Retry(),
            workers=2,
            progress=progress,
        )


@pytest.mark.filterwarnings('ignore:.*use of fork:DeprecationWarning')
def test_a_child_leaves_the_downloads_of_its_parent_alone() -> None:
    with serving(lambda _: Response(200, body=b'content')) as server:
        engine = Engine(user_agent='test')
        url = f'http://{server.host}:{server.port}/file'
        downloads: list[Download] = [
            engine.open_download(url, [], lambda _: 'token', retry=Retry(attempts=1))
        ]
        child = os.fork()
        if child == 0:
            try:
                downloads[0].read(1)
            except RuntimeError:
                downloads.clear()
                os._exit(17)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 17
        assert downloads[0].read(100) == b'content'

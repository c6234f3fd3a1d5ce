"""Uploads and downloads of all sizes under faults at random, each run from a seed of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from b2fast import AbstractProgressListener, RetryPolicy, Timeouts
from b2fast.exception import B2Error
from b2fast.simulator import Fault

from .clients import SEAMS, new_api, no_descriptor_left, no_thread_left, quick_collections
from .scenes import Download, Scene, Upload
from .service import PART_SIZE, Service, serving

RUNS = 200
BATCH = 20
"""Runs of one test, so that what fails is found among few."""

POLICY = RetryPolicy(attempts=6, first_delay=0.001, max_delay=0.01, deadline=60)
TIMEOUTS = Timeouts(connect=30, idle=0.25, copies=0.25)

UPLOADS = [
    'b2_get_upload_url',
    'b2_upload_file',
    'b2_upload_*',
    'b2_*_large_file',
    'b2_get_upload_part_url',
    '*',
]
DOWNLOADS = ['b2_download_file_by_name', 'b2_download_file_by_id', 'b2_download_*', '*']


@pytest.fixture(scope='module')
def service() -> Iterator[Service]:
    with serving() as service, no_thread_left(), quick_collections():
        yield service


class Watch(AbstractProgressListener):
    """Checks what it is told: more each time, and all of it in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.total: int | None = None
        self.last = 0

    def set_total_bytes(self, total_byte_count: int) -> None:
        assert self.total is None
        self.total = total_byte_count

    def bytes_completed(self, byte_count: int) -> None:
        assert self.total is not None
        assert self.last <= byte_count <= self.total
        self.last = byte_count


class RandomUpload(Upload):
    """Of a size that the run sets."""

    size = 0
    answer_of_start_lost = False

    def act(self) -> None:
        watch = Watch()
        bucket = self.scene.bucket
        self.id_ = bucket.upload_local_file(self.path, self.scene.name, progress_listener=watch).id_
        assert watch.last == watch.total == self.size

    def check_unfinished(self, error: Exception | None) -> None:
        if not self.answer_of_start_lost:
            super().check_unfinished(error)


class RandomDownload(Download):
    """Of a size and in a way that the run sets."""

    size = 0
    by_id = False

    def act(self) -> None:
        watch = Watch()
        if self.by_id:
            opened = self.scene.api.download_file_by_id(self.id_, watch)
        else:
            opened = self.scene.bucket.download_file_by_name(self.scene.name, watch)
        opened.save_to(self.target)
        assert watch.last == watch.total == self.size


def size_of(random: Random, most: int) -> int:
    near = random.choice([0, 1, 1000, PART_SIZE, 2 * PART_SIZE, 4 * PART_SIZE, most])
    return max(0, near + random.choice([-1, 0, 1, random.randrange(PART_SIZE)]))


def fault_of(random: Random, calls: list[str]) -> Fault:
    """A fault that some calls meet, as often as not more than once."""
    fields: dict[str, Any] = {'call': random.choice(calls)}
    if random.random() < 0.5:
        fields['rate'] = random.choice([0.05, 0.2, 0.5])
    else:
        fields['count'] = random.randint(1, 4)
        fields['skip'] = random.randrange(4)
    offset = int(10 ** random.uniform(0, 5.5)) - 1
    strikes_upload = fields['call'] in ('b2_upload_file', 'b2_upload_*', '*')
    if strikes_upload and random.random() < 0.5:
        kind = random.choice(
            ['cut_upload_after', 'reset_upload_after', 'flip_upload_at', 'stall_upload_after']
        )
        return Fault(**fields, **{kind: offset})
    match random.randrange(6):
        case 0:
            status = random.choice([408, 429, 500, 503])
            after = 0 if status in (429, 503) and random.random() < 0.5 else None
            return Fault(**fields, status=status, retry_after=after)
        case 1:
            status, code = random.choice(
                [(400, None), (401, 'expired_auth_token'), (401, 'bad_auth_token'), (403, None)]
            )
            return Fault(**fields, status=status, code=code)
        case 2:
            return Fault(**fields, expire_token=True)
        case 3:
            return Fault(**fields, delay=0.005)
        case 4 if fields.get('rate', 0) <= 0.2:
            return Fault(**fields, stall_after=offset)
    kind = random.choice(['cut_after', 'reset_after', 'flip_at'])
    # A flipped byte of an answer in JSON is found if it is no JSON any more.
    is_content = 'download' in fields['call']
    return Fault(**fields, **{kind: offset if is_content or kind != 'flip_at' else 0})


def loses_start(fault: Fault) -> bool:
    loses = (fault.cut_after, fault.reset_after, fault.stall_after, fault.flip_at)
    return fault.matches('b2_start_large_file') and any(value is not None for value in loses)


def batches() -> pytest.MarkDecorator:
    cases = [(seam, first) for seam in SEAMS for first in range(0, RUNS // 2, BATCH)]
    return pytest.mark.parametrize(('seam', 'first'), cases)


def run(service: Service, seam: str, directory: Path, seed: int, deed: type[Any]) -> None:
    random = Random(f'{deed.__name__} {seam} {seed}')
    calls = UPLOADS if deed is RandomUpload else DOWNLOADS
    faults = [fault_of(random, calls) for _ in range(random.randint(1, 3))]
    most = 8 * PART_SIZE
    if deed is RandomDownload and random.random() < 0.1:
        most = 5 * 1024 * 1024
    sized = type(
        deed.__name__,
        (deed,),
        {'size': size_of(random, most), 'by_id': random.random() < 0.5},
    )
    service.clear_faults()
    with no_descriptor_left():
        api = new_api(service, seam, TIMEOUTS, POLICY)
        it = sized(Scene(service, api, f'{deed.__name__} {seam} {seed}', directory))
        it.answer_of_start_lost = any(map(loses_start, faults))
        service.inject(*faults, seed=seed)
        failure: Exception | None = None
        try:
            it.act()
        except B2Error as error:
            failure = error.with_traceback(None)
        service.renew()
        if failure is None:
            it.done()
        else:
            it.not_done(failure)
        del api, it, failure


@pytest.mark.timeout(120)
@batches()
@pytest.mark.parametrize('deed', [RandomUpload, RandomDownload])
def test_random_faults(
    service: Service, tmp_path: Path, deed: type[Any], seam: str, first: int
) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        try:
            run(service, seam, directory, seed, deed)
        except BaseException as error:
            error.add_note(f'the seed is {seed}: run(service, {seam!r}, ..., {seed}, {deed})')
            raise


def test_scripts_have_all_kinds_in_them() -> None:
    """The scripts have every kind of fault in them, and sizes on both sides of each limit."""
    faults = [fault_of(Random(seed), UPLOADS + DOWNLOADS) for seed in range(RUNS)]
    for name in ('status', 'delay', 'cut_after', 'reset_after', 'flip_at', 'stall_after'):
        assert any(getattr(fault, name) is not None for fault in faults), name
    for name in ('cut_upload_after', 'reset_upload_after', 'flip_upload_at', 'expire_token'):
        assert any(getattr(fault, name) not in (None, False) for fault in faults), name
    sizes = [size_of(Random(seed), 8 * PART_SIZE) for seed in range(RUNS)]
    assert {0, 1, PART_SIZE, 2 * PART_SIZE - 1, 2 * PART_SIZE} <= set(sizes)

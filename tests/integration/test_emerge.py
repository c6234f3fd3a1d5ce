"""Files made of several sources."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from b2fast import (
    SSE_B2_AES,
    Bucket,
    CopySource,
    EncryptionAlgorithm,
    EncryptionKey,
    EncryptionMode,
    EncryptionSetting,
    FileRetentionSetting,
    FileVersion,
    LegalHold,
    OutboundTransferSource,
    ProgressListenerForTest,
    RetentionMode,
    UploadMode,
    UploadSourceBytes,
    UploadSourceLocalFile,
    UploadSourceLocalFileRange,
    UploadSourceStream,
    UploadSourceStreamRange,
    WriteIntent,
)
from b2fast.exception import (
    B2Error,
    CopyArgumentsMismatch,
    InvalidArgument,
    InvalidUserInput,
    SourceChanged,
    SSECKeyError,
    UnusableFileName,
    WrongEncryptionSettingForFileWrite,
)

from ..conftest import PART_SIZE, Account
from ..helpers import sha1_of

CONTENT = bytes(number * 7 % 251 for number in range(5000))


@pytest.fixture
def stored(bucket: Bucket) -> FileVersion:
    """A stored file with `CONTENT`."""
    return bucket.upload_bytes(CONTENT, 'stored')


def content_of(bucket: Bucket, version: FileVersion, **parameters: Any) -> bytes:
    file = io.BytesIO()
    bucket.download_file_by_id(version.id_, **parameters).save(file)
    return file.getvalue()


def copied(version: FileVersion, start: int, end: int) -> CopySource:
    """The stretch of a stored file."""
    return CopySource(version.id_, start, end - start)


Make = Callable[..., FileVersion]


@pytest.fixture(params=['known', 'stream'])
def concatenate(request: pytest.FixtureRequest, bucket: Bucket) -> Make:
    """Makes files of sources in a row, in both ways."""
    if request.param == 'known':
        return bucket.concatenate
    return lambda sources, *args, **kwargs: bucket.concatenate_stream(
        iter(sources), *args, **kwargs
    )


@pytest.fixture(params=['known', 'stream'])
def create_file(request: pytest.FixtureRequest, bucket: Bucket) -> Make:
    """Makes files of intents, in both ways."""
    if request.param == 'known':
        return bucket.create_file
    return lambda intents, *args, **kwargs: bucket.create_file_stream(
        iter(intents), *args, **kwargs
    )


def all_kinds(path: Path) -> list[OutboundTransferSource]:
    """Each kind of source, all with the same 700 bytes."""
    part = CONTENT[1000:1700]

    def piped() -> io.BufferedReader:
        return io.BufferedReader(Pipe(CONTENT))

    return [
        UploadSourceBytes(part),
        UploadSourceBytes(bytearray(part), sha1_of(part)),
        UploadSourceLocalFileRange(path, offset=1000, length=700),
        UploadSourceStream(lambda: io.BytesIO(part)),
        UploadSourceStream(lambda: io.BytesIO(part), 700, sha1_of(part)),
        UploadSourceStreamRange(lambda: io.BytesIO(CONTENT), 1000, 700),
        UploadSourceStreamRange(piped, 1000, 700),
    ]


class Pipe(io.RawIOBase):
    """Gives little at a time, and cannot be sought."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._content.read(min(len(buffer), 33))
        buffer[: len(data)] = data
        return len(data)


def test_each_kind_of_source(
    bucket: Bucket, make_file: Callable[..., Path], concatenate: Make
) -> None:
    path = make_file(CONTENT)
    for source in all_kinds(path):
        version = concatenate([source], 'alone')
        assert content_of(bucket, version) == CONTENT[1000:1700], source
        assert version.file_info == {'large_file_sha1': sha1_of(CONTENT[1000:1700])}
    sources = [*all_kinds(path), UploadSourceLocalFile(path), UploadSourceBytes(b'end')]
    version = concatenate(sources, 'all')
    assert content_of(bucket, version) == CONTENT[1000:1700] * 7 + CONTENT + b'end'
    assert version.file_info == {}


@given(
    pieces=st.lists(
        st.tuples(st.booleans(), st.integers(0, 4000), st.integers(0, 1000)), min_size=1, max_size=6
    )
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mix(
    bucket: Bucket,
    stored: FileVersion,
    create_file: Make,
    pieces: list[tuple[bool, int, int]],
) -> None:
    sources: list[OutboundTransferSource] = [
        CopySource(stored.id_, start if length else 0, length)
        if is_copy
        else UploadSourceBytes(CONTENT[start : start + length])
        for is_copy, start, length in pieces
    ]
    expected = b''.join(CONTENT[start : start + length] for _, start, length in pieces)
    intents = list(WriteIntent.wrap_sources_iterator(sources))
    version = create_file(intents, 'mix', max_part_size=PART_SIZE)
    assert version.size == len(expected)
    assert content_of(bucket, version) == expected
    assert list(bucket.list_unfinished_large_files()) == []


def test_what_overlaps_is_copied(
    account: Account, bucket: Bucket, stored: FileVersion, create_file: Make
) -> None:
    intents = [
        WriteIntent(UploadSourceBytes(CONTENT[:2000]), 0),
        WriteIntent(copied(stored, 500, 3000), 500),
        WriteIntent(copied(stored, 2900, 3050), 2900),
        WriteIntent(UploadSourceBytes(CONTENT[2950:4000] + b'end'), 2950),
    ]
    before = account.api.stats().bytes_sent
    version = create_file(intents, 'overlapping')
    assert content_of(bucket, version) == CONTENT[:4000] + b'end'
    assert account.api.stats().bytes_sent - before < 2000


@pytest.mark.parametrize('length', [0, 1, PART_SIZE, 2 * PART_SIZE - 1])
def test_what_fits_into_one_call_is_an_ordinary_file(
    bucket: Bucket, stored: FileVersion, concatenate: Make, length: int
) -> None:
    listener = ProgressListenerForTest()
    sources = [UploadSourceBytes(CONTENT[:length]), UploadSourceBytes(b'')]
    version = concatenate(sources, 'small', progress_listener=listener)
    assert version.content_sha1 == sha1_of(CONTENT[:length])
    assert version.file_info == {}
    assert listener.get_calls()[0] == f'set_total_bytes({length})'
    assert listener.get_calls()[-1] == f'bytes_completed({length})'


def test_single_stretch_is_copied_by_one_call(
    bucket: Bucket, stored: FileVersion, concatenate: Make
) -> None:
    version = concatenate([copied(stored, 5, 55)], 'copy', 'text/css', {'k': 'v'})
    assert version.action == 'copy'
    assert (version.content_type, version.file_info) == ('text/css', {'k': 'v'})
    assert content_of(bucket, version) == CONTENT[5:55]
    assert concatenate([copied(stored, 0, 9)], 'copy').content_type == stored.content_type
    with pytest.raises(CopyArgumentsMismatch):
        concatenate([copied(stored, 0, 9)], 'copy', file_info={'k': 'v'})
    with pytest.raises(InvalidArgument, match='custom_upload_timestamp'):
        concatenate([copied(stored, 0, 9)], 'copy', custom_upload_timestamp=1)


@pytest.mark.parametrize('size', [100, 1000], ids=['small', 'large'])
def test_metadata(account: Account, concatenate: Make, size: int) -> None:
    version = concatenate(
        [UploadSourceBytes(CONTENT[: size // 2]), UploadSourceBytes(CONTENT[size // 2 : size])],
        'file',
        'text/css',
        {'k': 'v'},
        encryption=SSE_B2_AES,
        large_file_sha1=sha1_of(CONTENT[:size]),
        custom_upload_timestamp=1_500_000_000_000,
        cache_control='max-age=1',
        expires='Thu, 01 Dec 2050 16:00:00 GMT',
        content_disposition='attachment',
        content_encoding='gzip',
        content_language='de',
    ).get_fresh_state()
    info = {
        'k': 'v',
        'b2-cache-control': 'max-age=1',
        'b2-expires': 'Thu, 01 Dec 2050 16:00:00 GMT',
        'b2-content-disposition': 'attachment',
        'b2-content-encoding': 'gzip',
        'b2-content-language': 'de',
    }
    if size == 1000:
        info['large_file_sha1'] = sha1_of(CONTENT[:size])
    assert (version.content_type, version.file_info) == ('text/css', info)
    assert version.server_side_encryption == SSE_B2_AES
    assert version.get_content_sha1() == sha1_of(CONTENT[:size])
    if account.server is not None:
        assert version.upload_timestamp == 1_500_000_000_000


@pytest.mark.parametrize('size', [100, 1000], ids=['small', 'large'])
def test_locks(account: Account, size: int) -> None:
    bucket = account.api.create_bucket('locked', 'allPrivate', is_file_lock_enabled=True)
    retention = FileRetentionSetting(RetentionMode.GOVERNANCE, int(time.time() + 10**6) * 1000)
    version = bucket.concatenate(
        [UploadSourceBytes(bytes(size)), UploadSourceBytes(b'end')],
        'file',
        legal_hold=LegalHold.ON,
        file_retention=retention,
    ).get_fresh_state()
    assert version.legal_hold is LegalHold.ON
    assert version.file_retention == retention


def customer_key(letter: bytes, key_id: str | None) -> EncryptionSetting:
    return EncryptionSetting(
        EncryptionMode.SSE_C,
        EncryptionAlgorithm.AES256,
        EncryptionKey(secret=letter * 32, key_id=key_id),
    )


def test_customer_keys_on_both_sides(bucket: Bucket, concatenate: Make) -> None:
    old, new = customer_key(b'o', 'old'), customer_key(b'n', 'new')
    stored = bucket.upload_bytes(CONTENT, 'stored', encryption=old)
    long, short = (CopySource(stored.id_, 0, size, encryption=old) for size in (1000, 50))
    sources = [long, UploadSourceBytes(b'sent'), short, UploadSourceBytes(bytes(700))]
    expected = CONTENT[:1000] + b'sent' + CONTENT[:50] + bytes(700)
    for target in (new, SSE_B2_AES, None):
        version = concatenate(sources, 'file', encryption=target)
        key = target if target is new else None
        assert content_of(bucket, version, encryption=key) == expected
        assert version.file_info == ({'sse_c_key_id': 'new'} if key else {})
    wrong = CopySource(stored.id_, 0, 1000, encryption=new)
    with pytest.raises(SSECKeyError):
        concatenate([wrong, UploadSourceBytes(b'sent')], 'file')


def test_encryption_that_is_none(bucket: Bucket, concatenate: Make) -> None:
    for size in (10, 1000):
        with pytest.raises(WrongEncryptionSettingForFileWrite):
            concatenate(
                [UploadSourceBytes(bytes(size))],
                'file',
                encryption=EncryptionSetting(EncryptionMode.UNKNOWN),
            )


def test_progress_of_a_large_file(bucket: Bucket, stored: FileVersion, concatenate: Make) -> None:
    listener = ProgressListenerForTest()
    sources = [copied(stored, 0, 1000), UploadSourceBytes(bytes(1003)), copied(stored, 0, 20)]
    concatenate(sources, 'file', progress_listener=listener)
    calls = listener.get_calls()
    done = [int(call.partition('(')[2][:-1]) for call in calls[1:]]
    assert calls[0] in ('set_total_bytes(2023)', 'set_total_bytes(0)')
    assert done == sorted(set(done))
    assert done[-1] == 2023


def test_part_sizes(bucket: Bucket, create_file: Make) -> None:
    def create(**sizes: int) -> FileVersion:
        return create_file([WriteIntent(UploadSourceBytes(CONTENT[:1000]))], 'file', **sizes)

    version = create(recommended_upload_part_size=300, min_part_size=PART_SIZE, max_part_size=900)
    assert content_of(bucket, version) == CONTENT[:1000]
    assert create(recommended_upload_part_size=1000).content_sha1 == sha1_of(CONTENT[:1000])
    with pytest.raises(InvalidUserInput, match='min_part_size'):
        create(min_part_size=500, recommended_upload_part_size=400)
    with pytest.raises(InvalidUserInput, match='max_part_size'):
        create(recommended_upload_part_size=400, max_part_size=300)
    with pytest.raises(InvalidArgument, match='recommended_upload_part_size'):
        create(recommended_upload_part_size=PART_SIZE - 1)
    with pytest.raises(InvalidArgument, match='min_part_size'):
        create(min_part_size=PART_SIZE - 1)
    with pytest.raises(InvalidArgument, match='at least 1'):
        create(min_part_size=0)
    assert len(list(bucket.list_file_versions('file'))) == 2
    assert list(bucket.list_unfinished_large_files()) == []


def test_what_cannot_be_made(bucket: Bucket, create_file: Make, concatenate: Make) -> None:
    with pytest.raises(ValueError, match='holes'):
        create_file([WriteIntent(UploadSourceBytes(b'x'), 1)], 'file')
    with pytest.raises(ValueError, match='nothing'):
        concatenate([], 'file')
    with pytest.raises(UnusableFileName):
        concatenate([UploadSourceBytes(b'x')], '/file')
    with pytest.raises(ValueError, match='single part'):
        concatenate([UploadSourceBytes(b'x')], 'file', continue_large_file_id='id')
    assert list(bucket.ls()) == []


def test_stream_of_intents_that_breaks_off(bucket: Bucket) -> None:
    def sources() -> Iterator[OutboundTransferSource]:
        for _ in range(4):
            yield UploadSourceBytes(CONTENT)
        raise RuntimeError('the generator failed')

    with pytest.raises(RuntimeError, match='the generator failed') as caught:
        bucket.concatenate_stream(sources(), 'file')
    (unfinished,) = bucket.list_unfinished_large_files()
    assert unfinished.file_id in caught.value.__notes__[0]
    assert list(bucket.ls()) == []


def test_no_intent_is_asked_for_before_there_is_room(account: Account, bucket: Bucket) -> None:
    api = account.new_api(max_upload_workers=2, max_copy_workers=1)
    api.authorize_account(account.key_id, account.key, account.realm)
    opened = 0
    asked = 0

    class Source(UploadSourceStream):
        def open(self) -> Any:
            nonlocal opened
            opened += 1
            return super().open()

    def sources() -> Iterator[OutboundTransferSource]:
        nonlocal asked
        for number in range(50):
            # Two are being sent, one waits, and the one after it has been looked at.
            assert asked - opened <= 5
            asked += 1
            data = CONTENT[number : number + PART_SIZE]
            yield Source(lambda data=data: io.BytesIO(data), PART_SIZE, sha1_of(data))  # type: ignore[misc]

    version = api.get_bucket_by_name('a-bucket').concatenate_stream(sources(), 'file')
    assert content_of(bucket, version) == b''.join(
        CONTENT[number : number + PART_SIZE] for number in range(50)
    )


def test_file_that_changed_since_it_was_planned(
    bucket: Bucket, make_file: Callable[..., Path], concatenate: Make
) -> None:
    for size in (100, 1000):
        source = UploadSourceLocalFile(make_file(bytes(size)))
        make_file(bytes(size + 1))
        with pytest.raises(SourceChanged):
            concatenate([source, UploadSourceBytes(bytes(PART_SIZE))][: 1 + (size > 100)], 'file')
    assert list(bucket.ls()) == []


def test_single_file_is_read_once_before_it_is_sent(
    bucket: Bucket, make_file: Callable[..., Path]
) -> None:
    """What changes after that is refused, and does not get the SHA-1 of what was read."""
    path = make_file(CONTENT)

    class Listener(ProgressListenerForTest):
        def set_total_bytes(self, total_byte_count: int) -> None:
            path.write_bytes(CONTENT[::-1])

    with pytest.raises(B2Error):
        bucket.concatenate([UploadSourceLocalFile(path)], 'file', progress_listener=Listener())
    assert list(bucket.ls()) == []


def test_incremental_upload(
    account: Account, bucket: Bucket, make_file: Callable[..., Path]
) -> None:
    def upload(content: bytes) -> FileVersion:
        version = bucket.upload_local_file(
            make_file(content), 'file', 'text/css', {'k': 'v'}, upload_mode=UploadMode.INCREMENTAL
        )
        assert content_of(bucket, version) == content
        assert version.get_content_sha1() == sha1_of(content)
        return version

    def sent(content: bytes) -> int:
        before = account.api.stats().bytes_sent
        upload(content)
        return account.api.stats().bytes_sent - before

    assert sent(CONTENT[:PART_SIZE]) == PART_SIZE
    assert sent(CONTENT[:PART_SIZE]) == 0
    assert sent(CONTENT) == len(CONTENT) - PART_SIZE
    assert sent(CONTENT + b'more') == 4
    assert sent(CONTENT + b'more' + CONTENT) == len(CONTENT)
    other = bytes(10) + CONTENT
    assert sent(other) == len(other)
    shorter = other[:-1]
    assert sent(shorter) == len(shorter)
    info = bucket.get_file_info_by_name('file').file_info
    assert info == {'k': 'v', 'large_file_sha1': sha1_of(shorter)}


def test_incremental_upload_of_the_same_content(
    bucket: Bucket, make_file: Callable[..., Path]
) -> None:
    path = make_file(CONTENT[:PART_SIZE])
    bucket.upload_local_file(path, 'file', 'text/css', {'old': 'info'})
    version = bucket.upload_local_file(
        path, 'file', file_info={'new': 'info'}, upload_mode=UploadMode.INCREMENTAL
    )
    assert version.file_info == {'new': 'info'}
    assert version.content_type != 'text/css'
    version = bucket.upload_local_file(
        path, 'file', upload_mode=UploadMode.INCREMENTAL, custom_upload_timestamp=10**12
    )
    assert content_of(bucket, version) == CONTENT[:PART_SIZE]

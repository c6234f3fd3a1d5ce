"""Programs that hypothesis makes up do the same on b2sdk and on b2fast."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from b2sdk import v3 as theirs
from b2sdk._internal.raw_simulator import RawSimulator as TheirSimulator
from hypothesis import given, settings, strategies as st

import b2fast
from b2fast import RawSimulator

from .account_scenario import plain

Step = tuple[str, dict[str, Any]]

# One for the files, since the IDs of files in several buckets are the same in these simulators.
BUCKETS = st.just('bucket-a')
FILES = st.sampled_from(['a', 'a.txt', 'a/b', 'a/b/c', 'a0', 'b', 'b/x.txt', 'é/ü'])
# Names of their own: in b2sdk's simulator an unfinished file conceals older versions.
LARGE_FILES = st.sampled_from(['c', 'c/d', 'c/e'])
PATHS = st.sampled_from(['', 'a', 'a/', 'a/b', 'b/', 'no', 'a*', '*.txt', 'a/?', '[ab]*'])
NUMBERS = st.integers(0, 12)


def steps() -> st.SearchStrategy[list[Step]]:
    """Programs; the first steps make something for the others to find."""

    def step(name: str, /, **parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.tuples(st.just(name), st.fixed_dictionaries(parameters))

    upload = step(
        'upload',
        bucket=BUCKETS,
        name=FILES,
        size=st.sampled_from([0, 1, 199, 200, 399, 400, 1000]),
        info=st.dictionaries(st.sampled_from(['color', 'large_file_sha1']), st.just('x')),
        content_type=st.sampled_from([None, 'text/plain']),
    )
    return st.lists(
        st.one_of(
            upload,
            upload,
            step('hide', bucket=BUCKETS, name=FILES),
            step('unhide', bucket=BUCKETS, name=FILES),
            step('delete', bucket=BUCKETS, number=NUMBERS),
            step('start', bucket=BUCKETS, name=LARGE_FILES),
            step('cancel', bucket=BUCKETS, number=NUMBERS),
            step('info_by_name', bucket=BUCKETS, name=FILES),
            step('info_by_id', bucket=BUCKETS, number=NUMBERS),
            step('versions', bucket=BUCKETS, name=FILES, fetch_count=st.sampled_from([1, 2, 100])),
            step(
                'ls',
                bucket=BUCKETS,
                path=PATHS,
                latest_only=st.booleans(),
                recursive=st.booleans(),
                with_wildcard=st.booleans(),
                fetch_count=st.sampled_from([1, 2, 3, 100]),
            ),
            step('unfinished', bucket=BUCKETS, prefix=st.sampled_from([None, 'c', 'c/d'])),
            step(
                'download',
                bucket=BUCKETS,
                name=FILES,
                range_=st.one_of(
                    st.none(), st.tuples(st.integers(0, 300), st.integers(0, 300)).map(sorted)
                ),
            ),
            step('update', bucket=BUCKETS, info=st.sampled_from([{'a': 'b'}, {'c': 'd'}])),
            step('update_late', bucket=BUCKETS, revision=st.integers(1, 4)),
            step(
                'create_key',
                bucket=st.sampled_from([None, 'bucket-a', 'bucket-b']),
                prefix=PATHS,
            ),
            step('delete_key', number=st.integers(0, 3)),
            step('keys'),
            step('buckets'),
            step('authorization', bucket=BUCKETS, prefix=PATHS),
        ),
        min_size=5,
        max_size=25,
    )


def without_moments(data: Any) -> Any:
    """Plain data in which the end of a key, which each simulator takes from the clock, is any."""
    if isinstance(data, dict):
        return {
            name: bool(entry) if name == 'expirationTimestamp' else without_moments(entry)
            for name, entry in data.items()
        }
    if isinstance(data, list | tuple):
        return type(data)(map(without_moments, data))
    return data


class Program:
    """Runs steps on one of the packages.

    :param sdk: has the names of `b2sdk.v3`
    :param simulator: an empty one
    """

    def __init__(self, sdk: Any, simulator: Any) -> None:
        self.sdk = sdk
        config = sdk.B2HttpApiConfig(_raw_api_class=lambda *_: simulator)
        self.api = sdk.B2Api(sdk.InMemoryAccountInfo(), sdk.InMemoryCache(), api_config=config)
        self.api.authorize_account(*simulator.create_account())
        for name in ('bucket-a', 'bucket-b'):
            self.api.create_bucket(name, 'allPrivate')

    def run(self, step: Step) -> Any:
        """What the step returns, or the name of its exception's class."""
        name, parameters = step
        if 'bucket' in parameters and parameters['bucket'] is not None:
            parameters = {
                **parameters,
                'bucket': self.api.get_bucket_by_name(parameters['bucket']),
            }
        method: Callable[..., Any] = getattr(self, name)
        try:
            return without_moments(plain(method(**parameters)))
        except Exception as error:
            return f'raises {type(error).__name__}'

    def upload(self, bucket: Any, name: str, size: int, info: Any, content_type: Any) -> Any:
        return bucket.upload_bytes(bytes(size), name, content_type=content_type, file_info=info)

    def hide(self, bucket: Any, name: str) -> Any:
        return bucket.hide_file(name)

    def unhide(self, bucket: Any, name: str) -> Any:
        return bucket.unhide_file(name)

    def delete(self, bucket: Any, number: int) -> Any:
        version = self._version(bucket, number)
        return version and version.delete()

    def start(self, bucket: Any, name: str) -> Any:
        return self.api.services.large_file.start_large_file(bucket.id_, name)

    def cancel(self, bucket: Any, number: int) -> Any:
        unfinished = list(bucket.list_unfinished_large_files())
        return unfinished and bucket.cancel_large_file(unfinished[number % len(unfinished)].file_id)

    def info_by_name(self, bucket: Any, name: str) -> Any:
        # b2sdk's simulator finds hidden and unfinished files, too.
        newest = next(iter(bucket.list_file_versions(name)), None)
        if newest is None or newest.action == 'upload':
            return bucket.get_file_info_by_name(name)
        return None

    def info_by_id(self, bucket: Any, number: int) -> Any:
        version = self._version(bucket, number)
        if version is None or version.action == 'start':
            # B2 tells nothing about unfinished files; the two simulators tell different things.
            return None
        return bucket.get_file_info_by_id(version.id_)

    def versions(self, bucket: Any, name: str, fetch_count: int) -> Any:
        return [told(version) for version in bucket.list_file_versions(name, fetch_count)]

    def ls(self, bucket: Any, **parameters: Any) -> Any:
        return [(told(version), folder) for version, folder in bucket.ls(**parameters)]

    def unfinished(self, bucket: Any, prefix: str | None) -> Any:
        return list(bucket.list_unfinished_large_files(prefix=prefix))

    def download(self, bucket: Any, name: str, range_: list[int] | None) -> Any:
        newest = next(iter(bucket.list_file_versions(name)), None)
        if range_ and newest and newest.action == 'upload' and newest.size <= range_[1]:
            # Ranges beyond the end are B2's business here, an error of its own there.
            return None
        file = io.BytesIO()
        opened = bucket.download_file_by_name(name, range_=range_ and tuple(range_))
        opened.save(file)
        return opened.download_version, file.getvalue()

    def update(self, bucket: Any, info: dict[str, str]) -> Any:
        return bucket.update(bucket_info=info)

    def update_late(self, bucket: Any, revision: int) -> Any:
        return bucket.update(bucket_info={'late': 'yes'}, if_revision_is=revision)

    def create_key(self, bucket: Any, prefix: str) -> Any:
        buckets = None if bucket is None else [bucket.id_]
        return self.api.create_key(['listFiles', 'readFiles'], 'a-key', 100, buckets, prefix)

    def delete_key(self, number: int) -> Any:
        keys = list(self.api.list_keys())
        return keys and self.api.delete_key(keys[number % len(keys)])

    def keys(self) -> Any:
        return list(self.api.list_keys())

    def buckets(self) -> Any:
        return self.api.list_buckets()

    def authorization(self, bucket: Any, prefix: str) -> Any:
        return bucket.get_download_authorization(prefix, 10)

    def _version(self, bucket: Any, number: int) -> Any:
        versions = [version for version, _ in bucket.ls(latest_only=False, recursive=True)]
        return versions[number % len(versions)] if versions else None


def told(version: Any) -> Any:
    """What a listing tells; of unfinished files b2sdk's simulator leaves out some."""
    return (
        (version.action, version.id_, version.file_name) if version.action == 'start' else version
    )


@settings(max_examples=200)
@given(steps())
def test_generated_programs(program: list[Step]) -> None:
    their, our = Program(theirs, TheirSimulator()), Program(b2fast, RawSimulator())
    for step in program:
        assert our.run(step) == their.run(step), step

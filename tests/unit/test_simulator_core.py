"""The rules of the simulated service, asked without any door."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from b2fast._core.server import Content
from b2fast.file_lock import LegalHold
from b2fast.raw_api import ALL_CAPABILITIES
from b2fast.simulator import ids
from b2fast.simulator.bucket import Bucket, BucketSettings, NewFile
from b2fast.simulator.errors import SimulatedError
from b2fast.simulator.file import File
from b2fast.simulator.profile import Profile
from b2fast.simulator.state import Key, Service

from ..helpers import Clock, sha1_of

START = 1_700_000_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def service(clock: Clock) -> Service:
    return Service(Profile(clock=clock, minimum_part_size=10))


@pytest.fixture
def bucket(service: Service) -> Bucket:
    return make_bucket(service, 'bucket-1')


def make_bucket(service: Service, name: str, **settings: object) -> Bucket:
    settings = {'bucket_type': 'allPrivate', **settings}
    return service.create_bucket('a' * 12, service.ids.bucket_id, name, BucketSettings(**settings))


def upload(bucket: Bucket, name: str, data: bytes = b'data') -> File:
    return bucket.upload(new(name), Content(data), sha1_of(data))


def new(name: str, **fields: object) -> NewFile:
    return NewFile(name=name, **{'content_type': 'text/plain', 'info': {}, **fields})


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(SimulatedError) as caught:
        call()
    return caught.value.status, caught.value.code


def names(bucket: Bucket, **kwargs: object) -> list[str]:
    page = bucket.page_of_names(**{'start': None, 'count': 1000, 'prefix': '', **kwargs})
    return [entry.name for entry in page.entries]


def versions(bucket: Bucket) -> list[str]:
    return [f.file_id for f in bucket.page_of_versions(None, None, 1000, '').entries]


class TestVersions:
    def test_newest_first_even_within_a_millisecond(self, bucket: Bucket, clock: Clock) -> None:
        first, second = upload(bucket, 'a'), upload(bucket, 'a')
        clock.now += 1
        third = upload(bucket, 'a')
        assert versions(bucket) == [third.file_id, second.file_id, first.file_id]
        assert bucket.visible_file('a') is third

    def test_hidden_file_is_neither_listed_nor_found(self, bucket: Bucket) -> None:
        file = upload(bucket, 'a')
        marker = bucket.hide('a')
        assert names(bucket) == []
        assert refusal(lambda: bucket.visible_file('a')) == (404, 'not_found')
        assert versions(bucket) == [marker.file_id, file.file_id]

    def test_upload_after_hiding_shows_the_name_again(self, bucket: Bucket) -> None:
        upload(bucket, 'a')
        bucket.hide('a')
        upload(bucket, 'a', b'again')
        assert bucket.visible_file('a').content.read() == b'again'

    def test_deleting_a_marker_unhides(self, bucket: Bucket) -> None:
        file = upload(bucket, 'a')
        marker = bucket.hide('a')
        bucket.delete(marker.file_id, 'a')
        assert bucket.visible_file('a') is file

    def test_deleting_the_newest_makes_the_older_one_current(self, bucket: Bucket) -> None:
        older, newer = upload(bucket, 'a', b'old'), upload(bucket, 'a', b'new')
        bucket.delete(newer.file_id, 'a')
        assert bucket.visible_file('a') is older

    def test_hiding_needs_a_visible_file(self, bucket: Bucket) -> None:
        assert refusal(lambda: bucket.hide('a')) == (400, 'no_such_file')
        upload(bucket, 'a')
        bucket.hide('a')
        assert refusal(lambda: bucket.hide('a')) == (400, 'already_hidden')

    def test_id_and_name_have_to_belong_together(self, bucket: Bucket) -> None:
        file = upload(bucket, 'a')
        assert refusal(lambda: bucket.delete(file.file_id, 'b')) == (400, 'file_not_present')
        bucket.delete(file.file_id, 'a')
        assert refusal(lambda: bucket.delete(file.file_id, 'a')) == (400, 'file_not_present')

    def test_unfinished_file_does_not_hide_the_upload_below_it(self, bucket: Bucket) -> None:
        file = upload(bucket, 'a')
        bucket.begin_large_file(new('a'))
        assert names(bucket) == ['a']
        assert bucket.visible_file('a') is file

    def test_large_file_is_as_old_as_its_start(self, bucket: Bucket, clock: Clock) -> None:
        large = bucket.begin_large_file(new('a'))
        clock.now += 1
        file = upload(bucket, 'a')
        finish(bucket, large, b'x' * 10, b'y')
        assert bucket.visible_file('a') is file
        assert large.upload_timestamp == START

    def test_continuing_from_a_deleted_version(self, bucket: Bucket) -> None:
        oldest, middle, _ = (upload(bucket, 'a') for _ in range(3))
        bucket.delete(middle.file_id, 'a')
        page = bucket.page_of_versions('a', middle.file_id, 10, '')
        assert [f.file_id for f in page.entries] == [oldest.file_id]

    def test_listing_from_an_unknown_id(self, bucket: Bucket) -> None:
        assert refusal(lambda: bucket.page_of_versions('a', 'zzz', 10, '')) == (
            400,
            'invalid_file_id',
        )


class TestNames:
    @pytest.mark.parametrize('name', ['', 'a\n', '\x7f', 'é' * 513, 'a\x00b', '\ud800'])
    def test_refused(self, bucket: Bucket, name: str) -> None:
        assert refusal(lambda: upload(bucket, name)) == (400, 'bad_request')

    @pytest.mark.parametrize('name', ['a', '/a', 'a/', 'a//b', 'a\\b', '.', '..', 'é' * 512])
    def test_accepted(self, bucket: Bucket, name: str) -> None:
        assert upload(bucket, name).name == name

    @pytest.mark.parametrize('name', ['short', 'b2-bucket', 'B2-bucket', 'a b c d', 'x' * 64])
    def test_bucket_names_refused(self, service: Service, name: str) -> None:
        assert refusal(lambda: make_bucket(service, name)) == (400, 'bad_request')

    def test_bucket_names_differ_in_more_than_their_case(
        self, service: Service, bucket: Bucket
    ) -> None:
        code = 'duplicate_bucket_name'
        assert refusal(lambda: make_bucket(service, 'Bucket-1')) == (400, code)

    @pytest.mark.parametrize('info', [{'b2-other': 'x'}, {'a b': 'x'}, {'': 'x'}, {'k' * 51: 'x'}])
    def test_file_info_refused(self, bucket: Bucket, info: dict[str, str]) -> None:
        file = new('a', info=info)
        assert refusal(lambda: bucket.begin_large_file(file)) == (400, 'bad_request')

    def test_file_info_has_a_limit_in_bytes(self, bucket: Bucket) -> None:
        bucket.begin_large_file(new('a', info={'k': 'x' * 6998}))
        too_much = new('a', info={'k': 'x' * 6999})
        assert refusal(lambda: bucket.begin_large_file(too_much)) == (400, 'metadata_exceeded')

    @pytest.mark.parametrize(
        ('name', 'content_type'),
        [
            ('a.txt', 'text/plain'),
            ('dir.txt/a', 'application/octet-stream'),
            ('a.TXT', 'text/plain'),
            ('a.unknown', 'application/octet-stream'),
            ('a.tar.gz', 'application/gzip'),
        ],
    )
    def test_content_type_by_extension(self, bucket: Bucket, name: str, content_type: str) -> None:
        file = bucket.begin_large_file(new(name, content_type='b2/x-auto'))
        assert file.content_type == content_type


class TestDigests:
    def test_wrong_sha1_stores_nothing(self, bucket: Bucket) -> None:
        call = lambda: bucket.upload(new('a'), Content(b'x'), '0' * 40)  # noqa: E731
        assert refusal(call) == (400, 'bad_request')
        assert versions(bucket) == []

    def test_upper_case_is_as_good(self, bucket: Bucket) -> None:
        digest = sha1_of(b'x')
        assert bucket.upload(new('a'), Content(b'x'), digest.upper()).content_sha1 == digest

    def test_unverified(self, bucket: Bucket) -> None:
        file = bucket.upload(new('a'), Content(b'x'), 'do_not_verify')
        assert file.content_sha1 == 'unverified:' + sha1_of(b'x')

    @pytest.mark.parametrize('claim', ['', 'none', 'x' * 40, 'unverified:' + '0' * 40])
    def test_no_digest(self, bucket: Bucket, claim: str) -> None:
        assert refusal(lambda: bucket.upload(new('a'), Content(), claim)) == (400, 'bad_request')


def finish(bucket: Bucket, large: File, *parts: bytes) -> File:
    digests = [sha1_of(part) for part in parts]
    for number, (part, digest) in enumerate(zip(parts, digests, strict=True), 1):
        bucket.add_part(large.file_id, number, Content(part), digest)
    return bucket.complete_large_file(large.file_id, digests)


class TestLargeFiles:
    @pytest.fixture
    def large(self, bucket: Bucket) -> File:
        return bucket.begin_large_file(new('large'))

    def test_finish(self, bucket: Bucket, large: File) -> None:
        file = finish(bucket, large, b'a' * 10, b'b' * 12, b'c')
        assert file.content.read() == b'a' * 10 + b'b' * 12 + b'c'
        assert (file.content_sha1, file.content_md5, file.content_length) == ('none', None, 23)
        assert bucket.visible_file('large') is file

    def test_last_of_equal_numbers_counts(self, bucket: Bucket, large: File) -> None:
        bucket.add_part(large.file_id, 1, Content(b'old'), sha1_of(b'old'))
        file = finish(bucket, large, b'a' * 10, b'b')
        assert file.content.read() == b'a' * 10 + b'b'

    @pytest.mark.parametrize('parts', [(), (b'a' * 20,)])
    def test_two_parts_at_least(self, bucket: Bucket, large: File, parts: list[bytes]) -> None:
        assert refusal(lambda: finish(bucket, large, *parts)) == (400, 'bad_request')
        assert large.action == 'start'

    @pytest.mark.parametrize('parts', [(b'a' * 9, b'b'), (b'a' * 10, b'')])
    def test_part_sizes(self, bucket: Bucket, large: File, parts: list[bytes]) -> None:
        assert refusal(lambda: finish(bucket, large, *parts)) == (400, 'bad_request')

    def test_refused_finish_can_be_repeated(self, bucket: Bucket, large: File) -> None:
        digest = sha1_of(b'a' * 10)
        for number in (1, 3):
            bucket.add_part(large.file_id, number, Content(b'a' * 10), digest)
        complete = bucket.complete_large_file
        cases = {
            'missing_part': [digest] * 3,
            'part_sha1_mismatch': [digest, '0' * 40],
        }
        assert refusal(lambda: complete(large.file_id, cases['missing_part'])) == (
            400,
            'missing_part',
        )
        bucket.add_part(large.file_id, 2, Content(b'a' * 10), digest)
        assert refusal(lambda: complete(large.file_id, cases['part_sha1_mismatch'])) == (
            400,
            'part_sha1_mismatch',
        )
        # A part that the list leaves out is a difference, too.
        assert refusal(lambda: complete(large.file_id, [digest] * 2)) == (
            400,
            'part_sha1_mismatch',
        )
        assert complete(large.file_id, [digest] * 3).content_length == 30

    def test_wrong_sha1_leaves_the_part_out(self, bucket: Bucket, large: File) -> None:
        call = lambda: bucket.add_part(large.file_id, 1, Content(b'x'), '0' * 40)  # noqa: E731
        assert refusal(call) == (400, 'bad_request')
        assert bucket.page_of_parts(large.file_id, None, 10) == ([], None)

    @pytest.mark.parametrize('number', [0, -1, 10_001])
    def test_part_numbers(self, bucket: Bucket, large: File, number: int) -> None:
        digest = sha1_of(b'x')
        call = lambda: bucket.add_part(large.file_id, number, Content(b'x'), digest)  # noqa: E731
        assert refusal(call) == (400, 'bad_request')

    def test_finished_file_takes_no_parts(self, bucket: Bucket, large: File) -> None:
        finish(bucket, large, b'a' * 10, b'b')
        for call in (bucket.abandon_large_file, lambda i: bucket.page_of_parts(i, 1, 1)):
            assert refusal(lambda call=call: call(large.file_id)) == (400, 'bad_request')

    def test_pages_of_parts(self, bucket: Bucket, large: File) -> None:
        digest = sha1_of(b'x')
        for number in (5, 1, 3):
            bucket.add_part(large.file_id, number, Content(b'x'), digest)
        page, following = bucket.page_of_parts(large.file_id, 2, 1)
        assert [part.part_number for part in page] == [3]
        assert following is not None
        assert following.part_number == 5

    def test_pages_of_unfinished_files(self, bucket: Bucket, clock: Clock) -> None:
        started = []
        for name in ('c', 'a', 'b', 'other'):
            started.append(bucket.begin_large_file(new(name)))
            clock.now += 1
        page, following = bucket.page_of_unfinished(None, 2, None)
        assert page == started[:2]
        assert following is started[2]
        bucket.abandon_large_file(started[1].file_id)
        # Continued from one that is gone meanwhile.
        page, following = bucket.page_of_unfinished(started[1].file_id, 10, None)
        assert (page, following) == (started[2:], None)
        assert bucket.page_of_unfinished(None, 10, 'o')[0] == started[3:]

    def test_a_lock_begins_with_the_finished_file(self, service: Service) -> None:
        bucket = make_bucket(service, 'bucket-2', file_lock=True)
        large, other = (
            bucket.begin_large_file(new(name, legal_hold=LegalHold.ON)) for name in ('a', 'b')
        )
        bucket.delete(large.file_id, 'a')
        finish(bucket, other, b'x' * 10, b'y')
        assert refusal(lambda: bucket.delete(other.file_id, 'b')) == (401, 'access_denied')


class TestCopies:
    def test_range_is_exact(self, bucket: Bucket) -> None:
        source = upload(bucket, 'a', b'0123456789')
        copy = bucket.copy(source, new('b'), (2, 4), None)
        assert copy.content.read() == b'234'
        assert copy.content_sha1 == sha1_of(b'234')
        for range_ in ((5, 10), (10, 12), (4, 2)):
            assert refusal(lambda r=range_: bucket.copy(source, new('b'), r, None))[0] == 416

    def test_hide_markers_are_no_source(self, bucket: Bucket) -> None:
        upload(bucket, 'a')
        marker = bucket.hide('a')
        assert refusal(lambda: bucket.copy(marker, new('b'), None, None)) == (404, 'not_found')


class TestBuckets:
    def test_only_empty_ones_are_deleted(self, service: Service, bucket: Bucket) -> None:
        large = bucket.begin_large_file(new('a'))
        code = 'cannot_delete_non_empty_bucket'
        assert refusal(lambda: service.delete_bucket(bucket)) == (400, code)
        bucket.abandon_large_file(large.file_id)
        service.delete_bucket(bucket)
        assert bucket.revision == 3
        assert refusal(lambda: service.bucket(bucket.bucket_id)) == (400, 'bad_bucket_id')

    def test_revision(self, bucket: Bucket) -> None:
        assert bucket.revision == 2
        bucket.update(BucketSettings(bucket_info={'a': 'b'}), if_revision_is=2)
        old = BucketSettings(bucket_info={'c': 'd'})
        assert refusal(lambda: bucket.update(old, if_revision_is=2)) == (409, 'conflict')
        assert (bucket.revision, bucket.bucket_info) == (3, {'a': 'b'})

    def test_refused_update_changes_nothing(self, bucket: Bucket) -> None:
        rules = [{'fileNamePrefix': 'a', 'daysFromHidingToDeleting': 0}]
        bad = BucketSettings(bucket_type='allPublic', lifecycle_rules=rules)
        assert refusal(lambda: bucket.update(bad)) == (400, 'bad_request')
        assert (bucket.bucket_type, bucket.revision) == ('allPrivate', 2)

    @pytest.mark.parametrize(
        'rules',
        [
            [{'daysFromHidingToDeleting': 1}],
            [{'fileNamePrefix': 'a'}],
            [
                {'fileNamePrefix': 'ab', 'daysFromHidingToDeleting': 1},
                {'fileNamePrefix': 'a', 'daysFromHidingToDeleting': 1},
            ],
        ],
    )
    def test_lifecycle_rules_refused(self, bucket: Bucket, rules: list[dict[str, object]]) -> None:
        bad = BucketSettings(lifecycle_rules=rules)
        assert refusal(lambda: bucket.update(bad)) == (400, 'bad_request')

    def test_hundred_at_most(self, service: Service) -> None:
        for number in range(100):
            make_bucket(service, f'bucket-{number:03}')
        assert refusal(lambda: make_bucket(service, 'bucket-100')) == (400, 'too_many_buckets')


class TestTokens:
    @pytest.fixture
    def key(self, service: Service) -> Key:
        key = Key('a' * 12, 'master', 'id', 'secret', ALL_CAPABILITIES, None, None, None)
        service.add_account('a' * 12, key)
        return key

    def test_key(self, service: Service, key: Key) -> None:
        assert service.authenticate('id', 'secret') is key
        assert service.authenticate('a' * 12, 'secret') is key
        assert refusal(lambda: service.authenticate('id', 'wrong')) == (401, 'unauthorized')
        assert refusal(lambda: service.authenticate('none', 'secret')) == (401, 'unauthorized')
        assert 'secret' not in repr(key)

    def test_tokens_live_a_day(self, service: Service, key: Key, clock: Clock) -> None:
        service.add_token('t', key)
        clock.now += 24 * 3600 * 1000 - 1
        assert service.check('t', 'listFiles') is key
        clock.now += 1
        assert refusal(lambda: service.check('t', 'listFiles')) == (401, 'expired_auth_token')
        assert refusal(lambda: service.check('u', 'listFiles')) == (401, 'bad_auth_token')
        assert refusal(lambda: service.check(None, 'listFiles')) == (401, 'bad_auth_token')

    def test_restricted_key(self, service: Service, bucket: Bucket) -> None:
        other = make_bucket(service, 'bucket-2')
        allowed = [{'id': bucket.bucket_id, 'name': bucket.bucket_name}]
        key = Key('a' * 12, 'k', 'id', 'secret', ['listFiles'], None, allowed, 'pre')
        service.add_token('t', key)
        assert service.check('t', 'listFiles', bucket, 'prefix/file') is key
        for check in (
            lambda: service.check('t', 'readFiles', bucket),
            lambda: service.check('t', 'listFiles', other),
            lambda: service.check('t', 'listFiles', bucket, 'other'),
            lambda: service.check('t', 'listFiles', account_id='b' * 12),
        ):
            assert refusal(check) == (401, 'unauthorized')

    def test_one_upload_at_a_time(self, service: Service, key: Key, bucket: Bucket) -> None:
        service.add_upload_token('u', bucket, key)
        with service.upload_with('u'):
            with pytest.raises(SimulatedError) as caught, service.upload_with('u'):
                pass
            assert caught.value.code == 'auth_token_limit'
        with service.upload_with('u') as token:
            assert token.bucket is bucket

    def test_upload_tokens_end(
        self, service: Service, key: Key, bucket: Bucket, clock: Clock
    ) -> None:
        service.add_upload_token('u', bucket, key)
        service.add_upload_token('v', bucket, key)
        service.drop_upload_token('u')
        assert refusal(service.upload_with('u').__enter__) == (401, 'bad_auth_token')
        clock.now += 24 * 3600 * 1000
        assert refusal(service.upload_with('v').__enter__) == (401, 'expired_auth_token')


def test_ids_have_the_forms_of_the_service() -> None:
    file_id = ids.Ids().file_id('0' * 24, START, large=True)
    ids.check_file_id(file_id)
    assert file_id.startswith('4_z' + '0' * 24 + '_f2')
    assert '_d20231114_m221320_' in file_id
    assert len(ids.new_key_id('a' * 12, 1)) == 25
    assert len(ids.new_key()) == 31
    assert len({ids.new_key() for _ in range(100)}) == 100
    assert refusal(lambda: ids.check_file_id('nonsense')) == (400, 'bad_request')

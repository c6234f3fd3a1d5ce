"""What the objects inside b2sdk's simulator and ours answer to the same calls."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from ..helpers import sha1_of
from .outcomes import NEEDLESS_KEYS

OF_BUCKET = (
    'account_id',
    'bucket_id',
    'bucket_name',
    'bucket_type',
    'bucket_info',
    'cors_rules',
    'lifecycle_rules',
    'options_set',
    'revision',
    'is_file_lock_enabled',
    'default_retention',
    'replication',
    'default_server_side_encryption',
)
OF_FILE = (
    'account_id',
    'file_id',
    'action',
    'name',
    'content_type',
    'content_sha1',
    'file_info',
    'data_bytes',
    'upload_timestamp',
    'range_',
    'file_retention',
    'replication_status',
)
RANGES = [None, (0, 0), (0, 2), (1, 4)]


class Objects:
    """The calls, and what came of each.

    :param sdk: has the names of `b2sdk.v3`
    :param simulator: has the names of b2sdk's module of the simulator
    """

    def __init__(self, sdk: Any, simulator: Any) -> None:
        self.sdk = sdk
        self.simulator = simulator
        self.seen: dict[str, Any] = {}
        self.raw = simulator.RawSimulator()
        setting, key = sdk.EncryptionSetting, sdk.EncryptionKey
        mode, algorithm = sdk.EncryptionMode.SSE_C, sdk.EncryptionAlgorithm.AES256
        self.customer = setting(mode, algorithm, key(secret=b'1' * 32, key_id='id'))
        self.other_customer = setting(mode, algorithm, key(secret=b'2' * 32, key_id='id'))
        self.retention = sdk.FileRetentionSetting(sdk.RetentionMode.GOVERNANCE, 100)

    def see(self, what: str, call: Callable[[], Any]) -> Any:
        """Make a call and keep what it returns, or the exception's name and text."""
        try:
            result = call()
        except Exception as error:
            self._keep(what, f'raises {type(error).__name__}: {error}')
            return None
        self._keep(what, self.plain(result))
        return result

    def _keep(self, what: str, result: Any) -> None:
        assert what not in self.seen, what
        self.seen[what] = result

    def plain(self, value: Any) -> Any:
        """The value as data that can be compared."""
        if isinstance(value, str | int | float | bytes | None):
            return value
        if isinstance(value, list | tuple):
            return [self.plain(entry) for entry in value]
        if isinstance(value, set):
            return sorted(value)
        if hasattr(value, 'items'):
            return {
                key: self.plain(entry) for key, entry in value.items() if key not in NEEDLESS_KEYS
            }
        for form in ('as_list_parts_dict', 'as_key', 'as_dict'):
            if hasattr(value, form):
                return self.plain(getattr(value, form)())
        if hasattr(value, 'as_upload_result'):
            return self.plain(value.as_upload_result(self.token))
        return type(value).__name__

    def run(self) -> dict[str, Any]:
        """Make all calls; returns what was seen."""
        raw = self.raw
        self.see('fresh', self._counters)
        self.key_id, key = raw.create_account()
        self.token = raw.authorize_account('production', self.key_id, key)['authorizationToken']
        self.auth = (raw.API_URL, self.token)
        self.see('after an account', self._counters)
        self.see('master key', lambda: self._forms_of_key(raw.key_id_to_key[self.key_id]))
        self.bucket = self._new_bucket('locked-bucket', is_file_lock_enabled=True)
        self.see('bucket ID in between', lambda: next(raw.bucket_id_counter))
        self.other_bucket = self._new_bucket('other-bucket')
        self.see('after buckets', self._counters)
        self.buckets()
        for name, file in self._files():
            self.file(name, file)
        self.parts()
        self.response()
        self.bucket_uploads()
        self.bucket_copies()
        self.bucket_large_files()
        self.notification_rules()
        self.updates()
        self.tokens()
        self.see('after all calls', self._counters)
        self.keys()
        return self.seen

    def _counters(self) -> Any:
        raw = self.raw
        return [
            raw.account_counter,
            raw.app_key_counter,
            raw.auth_token_counter,
            raw.upload_errors,
            sorted(raw.bucket_name_to_bucket),
            sorted(raw.bucket_id_to_bucket),
            raw.all_application_keys,
            sorted(raw.key_id_to_key),
            sorted(raw.auth_token_to_key),
            raw.expired_auth_tokens,
            sorted(raw.currently_used_auth_tokens),
        ]

    @staticmethod
    def _forms_of_key(key: Any) -> Any:
        return [key.name, key.key, key.as_key(), key.as_created_key(), key.get_allowed()]

    def _new_bucket(self, name: str, **settings: Any) -> Any:
        raw = self.raw
        answer = raw.create_bucket(*self.auth, self.key_id, name, 'allPrivate', **settings)
        return raw.bucket_id_to_bucket[answer['bucketId']]

    def buckets(self) -> None:
        """What a bucket is made of."""
        for bucket in (self.bucket, self.other_bucket):
            name = bucket.bucket_name
            self.see(f'{name}', lambda: [getattr(bucket, attribute) for attribute in OF_BUCKET])  # noqa: B023
            self.see(f'{name}, dict', lambda: bucket.bucket_dict(self.token))  # noqa: B023
        self.see(
            'counters of a bucket',
            lambda: [
                next(self.other_bucket.file_id_counter),
                next(self.other_bucket.upload_timestamp_counter),
                next(self.other_bucket.upload_url_counter),
            ],
        )
        self.see(
            'may',
            lambda: [
                self.bucket.is_allowed_to_read_bucket_encryption_setting(self.token),
                self.bucket.is_allowed_to_read_bucket_retention(self.token),
            ],
        )

    def _new_file(self, action: str = 'upload', data: bytes | None = b'hello', **more: Any) -> Any:
        with_content = action == 'upload' and data is not None
        return self.simulator.FileSimulator(
            self.key_id,
            more.pop('bucket', self.bucket),
            '77',
            action,
            'na me/ü',
            'text/plain',
            sha1_of(data or b'') if with_content else 'none',
            {'a': 'b c', 'b2-expires': 'never'},
            data,
            55,
            server_side_encryption=more.pop('encryption', self.sdk.SSE_B2_AES),
            **more,
        )

    def _files(self) -> list[tuple[str, Any]]:
        on, status = self.sdk.LegalHold.ON, self.sdk.ReplicationStatus.PENDING
        return [
            ('plain', self._new_file(legal_hold=on)),
            ('SSE-C', self._new_file(legal_hold=on, encryption=self.customer)),
            ('retained', self._new_file(legal_hold=on, file_retention=self.retention)),
            ('replicated', self._new_file(legal_hold=on, replication_status=status)),
            (
                'without lock',
                self._new_file(
                    bucket=self.other_bucket, legal_hold=on, file_retention=self.retention
                ),
            ),
            ('no hold', self._new_file(bucket=self.other_bucket, legal_hold=None)),
            ('empty', self._new_file(data=b'', legal_hold=on)),
            ('start', self._new_file('start', None, legal_hold=on)),
            ('hide', self._new_file('hide', b'', legal_hold=on, encryption=None)),
        ]

    def file(self, name: str, file: Any) -> None:
        """What a file version tells."""
        self.see(f'{name}: attributes', lambda: [getattr(file, attribute) for attribute in OF_FILE])
        self.see(f'{name}: hold', lambda: file.legal_hold.value)
        self.see(f'{name}: key', file.sort_key)
        self.see(f'{name}: visible', file.is_visible)
        for form in ('as_upload_result', 'as_list_files_dict', 'as_start_large_file_result'):
            self.see(f'{name}: {form}', lambda: getattr(file, form)(self.token))  # noqa: B023
        if name in ('empty', 'start', 'hide'):
            self.see(f'{name}: headers', lambda: file.as_download_headers(self.token))
        else:
            self.see(f'{name}: length', lambda: file.content_length)
            for token in (None, self.token):
                for range_ in RANGES:
                    self.see(
                        f'{name}: headers {token} {range_}',
                        lambda: file.as_download_headers(token, range_),  # noqa: B023
                    )
        self.see(f'{name}: no key', lambda: file.check_encryption(None))
        if name == 'SSE-C':
            keys = (self.customer, self.other_customer, self.sdk.SSE_B2_AES)
            for number, key in enumerate(keys):
                self.see(f'{name}: key {number}', lambda: file.check_encryption(key))  # noqa: B023

        def unchecked() -> None:
            with type(file).dont_check_encryption():
                file.check_encryption(self.other_customer)

        self.see(f'{name}: unchecked', unchecked)
        self.see(f'{name}: checked again', lambda: type(file).CHECK_ENCRYPTION)

    def parts(self) -> None:
        """The parts of a large file."""
        part_class = self.simulator.PartSimulator
        digests = [sha1_of(b'xy'), sha1_of(b'abc')]
        file = self._new_file('start', None)
        self.see('no parts', lambda: file.parts)
        second = part_class('77', 2, 3, digests[1], b'abc')
        self.see('part', lambda: [second.file_id, second.part_number, second.content_length])
        self.see('add', lambda: file.add_part(2, second))
        self.see('parts with gaps', lambda: file.parts)
        self.see('finish with a gap', lambda: file.finish([digests[1]]))
        file.add_part(1, part_class('77', 1, 2, digests[0], b'xy'))
        for start, count in ((None, None), (1, 1), (2, 1), (3, 1), (0, 5)):
            self.see(
                f'parts {start} {count}',
                lambda: file.list_parts(start, count),  # noqa: B023
            )
        self.see('finish with few', lambda: file.finish(digests[:1]))
        self.see('finish with wrong', lambda: file.finish(digests[::-1]))
        self.see('finish with many', lambda: file.finish([*digests, digests[0]]))
        self.see('finish', lambda: file.finish(digests))
        self.see('finished', lambda: [file.action, file.data_bytes, file.content_length])

    def response(self) -> None:
        """What a download gives."""
        simulator = self.simulator
        file = self._new_file(legal_hold=self.sdk.LegalHold.ON)
        response = simulator.FakeResponse(self.token, file, 'http://url', (1, 3))
        request = response.request
        self.see('response', lambda: [response.url, response.range_, response.data_bytes])
        self.see('response, headers', lambda: response.headers)
        self.see('request', lambda: [request.url, request.headers])
        self.see('request, type', lambda: type(request).__name__)
        raw = response.raw
        self.see(
            'raw',
            lambda: [raw.tell(), raw.read(2), raw.tell(), raw.read(5), raw.read(5), repr(raw)],
        )
        response.data_bytes = b'other'
        self.see('new bytes', lambda: [response.data_bytes, list(response.iter_content(2))])
        whole = simulator.FakeResponse(None, file, 'http://url')
        self.see('whole', lambda: [list(whole.iter_content(2)), whole.request.headers])
        self.see('with', lambda: whole.__enter__() is whole)
        self.see('close', whole.close)
        self.see('FakeRaw', lambda: simulator.FakeRaw(b'abc') == simulator.FakeRaw(b'abc'))
        self.see('FakeRequest', lambda: repr(simulator.FakeRequest('url', {})))
        for first in range(-1, 7):
            for last in range(-1, 7):
                self.see(
                    f'get_bytes_range {first} {last}',
                    lambda: simulator.get_bytes_range(b'hello', (first, last)),  # noqa: B023
                )
        self.see('get_bytes_range', lambda: simulator.get_bytes_range(b'hello', None))

    def _upload(self, name: str, data: bytes, **settings: Any) -> Any:
        answer = self.bucket.upload_file(
            '0',
            f'https://upload.example.com/{self.bucket.bucket_id}/0/{self.token}',
            name,
            len(data),
            'text/plain',
            sha1_of(data),
            settings.pop('file_info', {}),
            io.BytesIO(data),
            **settings,
        )
        self.raw.file_id_to_bucket_id[answer['fileId']] = self.bucket.bucket_id
        return answer

    def bucket_uploads(self) -> None:
        """Calls of a bucket about files."""
        bucket, token, see = self.bucket, self.token, self.see
        self.file_id = see('upload', lambda: self._upload('x', b'data'))['fileId']
        see('upload SSE-C', lambda: self._upload('c', b'', server_side_encryption=self.customer))
        see(
            'upload with all',
            lambda: self._upload(
                'y',
                b'data',
                file_info={'k': 'v'},
                custom_upload_timestamp=3,
                file_retention=self.retention,
                legal_hold=self.sdk.LegalHold.ON,
            ),
        )
        see('get_file', lambda: bucket.get_file(self.file_id, 'x'))
        see('get_file of another name', lambda: bucket.get_file(self.file_id, 'y'))
        see('files', lambda: [sorted(bucket.file_id_to_file), list(bucket.file_id_to_file)])
        see('files by name', lambda: sorted(bucket.file_name_and_id_to_file))
        see('info by ID', lambda: bucket.get_file_info_by_id(token, self.file_id))
        see('info by name', lambda: bucket.get_file_info_by_name(token, 'y'))
        see('info by no name', lambda: bucket.get_file_info_by_name(token, 'zzz'))
        see('names', lambda: bucket.list_file_names(token))
        see('versions', lambda: bucket.list_file_versions(token, 'x', None, 1))
        see('hide', lambda: bucket.hide_file(token, 'x'))
        see('names after it', lambda: bucket.list_file_names(token, 'x'))
        see(
            'retention',
            lambda: bucket.update_file_retention(token, self.file_id, 'x', self.retention),
        )
        hold = self.sdk.LegalHold.OFF
        see('hold', lambda: bucket.update_file_legal_hold(token, self.file_id, 'x', hold))
        see('info after it', lambda: bucket.get_file_info_by_id(token, self.file_id))

    def bucket_copies(self) -> None:
        """Copies, which a bucket answers as objects."""
        sdk, see = self.sdk, self.see
        replace, copy = sdk.MetadataDirectiveMode.REPLACE, sdk.MetadataDirectiveMode.COPY

        def copied(**settings: Any) -> Any:
            return self.bucket.copy_file(self.token, self.file_id, 'copy', **settings)

        see('copy', copied)
        see('copy, type', lambda: type(copied()).__name__)
        see('copy SSE-C', lambda: copied(destination_server_side_encryption=self.customer))
        see('copy away', lambda: copied(destination_bucket_id=self.other_bucket.bucket_id))
        for first, last in ((0, 3), (0, 4), (0, 5), (3, 2), (4, 4), (-1, 2)):
            see(f'copy {first} {last}', lambda: copied(bytes_range=(first, last)))  # noqa: B023
        see(
            'copy with all',
            lambda: copied(
                bytes_range=(1, 2),
                metadata_directive=replace,
                content_type='text/html',
                file_info={'q': 'r'},
                file_retention=self.retention,
                legal_hold=sdk.LegalHold.ON,
            ),
        )
        see('copy REPLACE', lambda: copied(metadata_directive=replace))
        see('copy COPY', lambda: copied(metadata_directive=copy, content_type='text/html'))
        see('copy COPY with info', lambda: copied(metadata_directive=copy, file_info={}))

    def bucket_large_files(self) -> None:
        """Large files."""
        bucket, token, see = self.bucket, self.token, self.see

        def part(file_id: str, claim: bytes = b'abc', **settings: Any) -> Any:
            stream = io.BytesIO(b'abc')
            return bucket.upload_part(file_id, 1, 3, sha1_of(claim), stream, **settings)

        def start(**settings: Any) -> Any:
            answer = bucket.start_large_file(token, 'large', 'text/plain', {'i': 'j'}, **settings)
            self.raw.file_id_to_bucket_id[answer['fileId']] = bucket.bucket_id
            return answer

        secret = see('start', lambda: start(server_side_encryption=self.customer))['fileId']
        see('a part', lambda: part(secret, server_side_encryption=self.customer))
        see('a wrong part', lambda: part(secret, b'', server_side_encryption=self.customer))
        see('list parts', lambda: bucket.list_parts(secret, None, None))
        see('unfinished', lambda: bucket.list_unfinished_large_files(token))
        see('cancel', lambda: bucket.cancel_large_file(secret))
        plain = see('start plainly', start)['fileId']
        see('a plain part', lambda: part(plain))
        see('finish the file', lambda: bucket.finish_large_file(token, plain, [sha1_of(b'abc')]))

        def content() -> Any:
            with bucket.download_file_by_id(token, plain, 'url', (0, 1)) as response:
                return [response.url, response.data_bytes]

        see('content', content)

    def notification_rules(self) -> None:
        """Rules, which take from former ones what they do not say."""
        bucket, see = self.bucket, self.see
        webhook = {'targetType': 'webhook', 'url': 'https://one.example'}
        first = {
            'name': 'second-by-name',
            'objectNamePrefix': 'p',
            'eventTypes': ['b2:ObjectCreated:*'],
            'isEnabled': True,
            'targetConfiguration': {**webhook, 'customHeaders': None},
        }
        second = {
            **first,
            'name': 'first-by-name',
            'isSuspended': True,
            'suspensionReason': 'mine',
            'targetConfiguration': {**webhook, 'hmacSha256SigningSecret': 'secret'},
        }
        see('no rules', bucket.get_notification_rules)
        see('set rules', lambda: bucket.set_notification_rules([first, second]))
        suspend = bucket.simulate_notification_rule_suspension
        see('suspend', lambda: suspend('second-by-name', 'why'))
        see('suspend without a reason', lambda: suspend('first-by-name', '', True))
        see('suspend none', lambda: suspend('none', 'why'))
        see('rules', bucket.get_notification_rules)
        changed = {'name': 'first-by-name', 'targetConfiguration': {'url': 'https://two.example'}}
        see('change rules', lambda: bucket.set_notification_rules([changed, {'name': 'new'}]))
        see(
            'rules by the raw call',
            lambda: self.raw.get_bucket_notification_rules(*self.auth, bucket.bucket_id),
        )

    def updates(self) -> None:
        """Settings of buckets."""
        sdk, raw, see = self.sdk, self.raw, self.see

        def update(bucket: Any, **settings: Any) -> Any:
            return raw.update_bucket(*self.auth, self.key_id, bucket.bucket_id, **settings)

        source = sdk.ReplicationConfiguration(
            rules=[sdk.ReplicationRule(destination_bucket_id='bucket_0', name='rule-1')],
            source_key_id='key',
        )
        period = sdk.RetentionPeriod(days=3)
        retention = sdk.BucketRetentionSetting(sdk.RetentionMode.GOVERNANCE, period)
        other = self.other_bucket
        see('replicate', lambda: update(other, replication=source))
        see('lock what is replicated', lambda: update(other, is_file_lock_enabled=True))
        see('unlock', lambda: update(self.bucket, is_file_lock_enabled=False))
        see('SSE_NONE', lambda: update(other, default_server_side_encryption=sdk.SSE_NONE))
        see('SSE-C', lambda: update(other, default_server_side_encryption=self.customer))
        see(
            'update all',
            lambda: update(
                self.bucket,
                bucket_type='allPublic',
                bucket_info={'q': 'r'},
                cors_rules=[{'corsRuleName': 'one'}],
                lifecycle_rules=[{'fileNamePrefix': 'x', 'daysFromHidingToDeleting': 1}],
                if_revision_is=1,
                default_server_side_encryption=sdk.SSE_B2_AES,
                default_retention=retention,
            ),
        )
        see('old revision', lambda: update(self.bucket, bucket_info={'a': 'b'}, if_revision_is=1))

    def tokens(self) -> None:
        """Tokens of uploads and of the account."""
        raw, see = self.raw, self.see
        url = raw.get_upload_url(*self.auth, self.bucket.bucket_id)
        token = url['authorizationToken']

        def upload() -> Any:
            stream = io.BytesIO(b'x')
            return raw.upload_file(
                url['uploadUrl'], token, 'n', 1, 'text/plain', sha1_of(b'x'), {}, stream
            )

        def while_used() -> str:
            with raw.currently_used_auth_tokens[token]:
                try:
                    upload()
                except Exception as error:
                    return type(error).__name__
            return 'uploaded'

        see('token in use', while_used)
        see('token not in use', upload)
        raw.set_upload_errors([OSError('one'), KeyError('two')])
        for number in range(3):
            see(f'upload error {number}', upload)
        raw.expire_auth_token(self.token)
        see('expired', lambda: raw.expired_auth_tokens)
        see('call with it', lambda: raw.list_buckets(*self.auth, self.key_id))
        raw.expired_auth_tokens.clear()
        see('not expired', lambda: len(raw.list_buckets(*self.auth, self.key_id)['buckets']))

    def keys(self) -> None:
        """Restricted keys, and what they may read."""
        raw, see = self.raw, self.see

        def authorized(bucket_ids: list[str] | None) -> Any:
            key = raw.create_key(
                *self.auth, self.key_id, ['readFiles'], 'name', None, bucket_ids, None
            )
            key_id, secret = key['applicationKeyId'], key['applicationKey']
            return key_id, raw.authorize_account('production', key_id, secret)

        key_id, answer = see('key', lambda: authorized(None))
        token = answer['authorizationToken']
        see('bucket for the key', lambda: self.bucket.bucket_dict(token))
        file = self._new_file(legal_hold=self.sdk.LegalHold.ON, file_retention=self.retention)
        see('headers for the key', lambda: file.as_download_headers(token))
        see('file for the key', lambda: file.as_upload_result(token))
        see('delete the key', lambda: raw.delete_key(*self.auth, key_id))
        see('delete it again', lambda: raw.delete_key(*self.auth, key_id))
        see('key of a bucket', lambda: authorized([self.other_bucket.bucket_id]))
        raw.delete_bucket(*self.auth, self.key_id, self.other_bucket.bucket_id)
        last = raw.all_application_keys[-1]
        see(
            'key of a bucket that is gone',
            lambda: raw.authorize_account('production', last.application_key_id, last.key),
        )

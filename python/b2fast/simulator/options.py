"""The points of B2's behaviour that its documentation leaves open, or on which sources disagree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

_CHOICES: dict[str, tuple[object, ...]] = {
    'default_encryption': ('SSE-B2', 'none'),
    'hide_marker_sha1': ('null', 'empty'),
    'large_file_sha1': ('none', 'null'),
    'replication_status_case': ('upper', 'lower'),
    'locked_delete_status': (401, 403),
    'locked_update_status': (401, 403),
    'wrong_key_code': ('unauthorized', 'bad_auth_token'),
    'malformed_range_status': (200, 400, 416),
    'concurrent_upload_code': ('auth_token_limit', 'bad_request'),
    'folder_download_status': (404, 400),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the simulator does where it is not certain what B2 does.

    The defaults follow B2's present documentation and, where it is silent, what live tests of
    B2's own clients assert. The other values are what other sources say.

    :param header_limit: most bytes of file name and file information. Documentation: 7000, and
        `short_header_limit` for encrypted files; whether that holds now that every file is
        encrypted is not said. 2048 is what is safe on either reading.
    :param short_header_limit: most bytes of the same for files with a customer's key and in
        buckets with file lock. Documentation.
    :param maximum_upload_size: most bytes in one upload or part. Documentation: "5 billion
        bytes", elsewhere "5 GB" and 5,368,709,120; clients use the first. The HTTP server takes
        no more than that in any case.
    :param default_encryption: of buckets and files that ask for none: `SSE-B2` (documentation
        since 2026) or `none` (before; a mode of null or `none` then means unencrypted).
    :param hide_marker_sha1: `contentSha1` and `contentMd5` of hide markers: `null`
        (documentation) or `empty`, the digests of no bytes (recorded in 2022).
    :param large_file_sha1: `contentSha1` of large files: `none` (recorded) or `null` (issue
        reports; clients have to take either).
    :param md5_limit: files and parts of more bytes have `contentMd5` null. B2 gives one for every
        file and part but large files; the simulator saves itself a second digest of long ones.
    :param content_md5_header: downloads carry `Content-MD5`. Known from the Java client; absent
        from recordings.
    :param locked_delete_status: of `access_denied` when a locked version is to be deleted: 401
        (live tests) or 403.
    :param locked_update_status: of `access_denied` when retention or legal hold may not be
        changed: 403 (live tests) or 401 (documentation).
    :param maximum_retention_days: how far ahead retention may end. 3000: the S3-compatible API;
        the native API's documentation is silent.
    :param retention_from_finish: the default retention of a large file starts at its finish, not
        with the file. Not documented.
    :param replication_status_case: `upper` (most of the documentation) or `lower`.
    :param wrong_key_code: of the 401 when an application key is wrong: `unauthorized`
        (documentation, live tests) or `bad_auth_token`.
    :param accepts_unverified_sha1: `unverified:` and hex digits are taken as a claim of SHA-1
        and stored unchecked. Only a simulator of Backblaze's does; not documented.
    :param maximum_part_page: most parts in one answer of `b2_list_parts`: 1000 (documentation)
        or 10,000 (the TypeScript client).
    :param lists_allowed_buckets: a key restricted to buckets that names none gets those it may
        use from `b2_list_buckets`, not 401. Documentation of multi-bucket keys is not clear.
    :param malformed_range_status: of a download with a Range header that is not one range of
        bytes: 200 with the whole file (older documentation), 400 or 416.
    :param suffix_ranges: `bytes=-5` means the last bytes, as in HTTP; not recorded. Without, it
        counts as malformed.
    :param finish_codes: `b2_finish_large_file` refuses with `missing_part` and
        `part_sha1_mismatch` (known to B2's Python client), not with `bad_request`.
    :param concurrent_upload_code: of a second upload with a token in use: `auth_token_limit`
        (since 2023) or `bad_request` (before).
    :param old_file_names: file names are refused as before 2020: with a backslash, a leading,
        trailing or double slash, or a segment of more than 250 bytes. Several clients still do.
    :param bucket_name_characters: what bucket names may consist of, as in the brackets of a
        regular expression: `A-Za-z0-9-` (documentation), `a-z0-9-` (the Python client's), with
        a `.` (the TypeScript client).
    :param unfinished_hides: a large file in the making hides older versions of its name from
        listings of names and downloads. b2sdk's simulator does; B2 seems not to.
    :param synthetic_next_names: `nextFileName` of a full page is a name just behind the last
        entry, even if nothing follows, as clients have to expect; not the name of the next file.
    :param tokens_outlive_keys: tokens stay valid when their key is deleted. Not documented;
        Backblaze's TypeScript client says they end.
    :param folder_download_status: of a download by a name that ends with `/` and is not there:
        404, or 400 as rclone expects as well.
    :param whole_second_timestamps: upload timestamps of files end with 000, and `b2_list_parts`
        cuts those of parts. So in recordings of 2021-22; it may have changed.
    :param overlapping_lifecycle_rules: two lifecycle rules may cover the same files, which older
        documentation forbids.
    :param keys_within_creator: a key can give no capability it lacks. The documentation says that
        `writeKeys` gives full control; Backblaze's TypeScript client checks.
    """

    header_limit: int = 7000
    short_header_limit: int = 2048
    maximum_upload_size: int = 5_000_000_000
    default_encryption: str = 'SSE-B2'
    hide_marker_sha1: str = 'null'
    large_file_sha1: str = 'none'
    md5_limit: int = 1_000_000
    content_md5_header: bool = False
    locked_delete_status: int = 401
    locked_update_status: int = 403
    maximum_retention_days: int = 3000
    retention_from_finish: bool = False
    replication_status_case: str = 'upper'
    wrong_key_code: str = 'unauthorized'
    accepts_unverified_sha1: bool = False
    maximum_part_page: int = 1000
    lists_allowed_buckets: bool = False
    malformed_range_status: int = 200
    suffix_ranges: bool = True
    finish_codes: bool = True
    concurrent_upload_code: str = 'auth_token_limit'
    old_file_names: bool = False
    bucket_name_characters: str = 'A-Za-z0-9-'
    unfinished_hides: bool = False
    synthetic_next_names: bool = False
    tokens_outlive_keys: bool = False
    folder_download_status: int = 404
    whole_second_timestamps: bool = False
    overlapping_lifecycle_rules: bool = False
    keys_within_creator: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not type(field.default):
                raise ValueError(f'option {field.name}: not {value!r}')
            choices = _CHOICES.get(field.name)
            if choices is not None and value not in choices:
                shown = ', '.join(map(str, choices))
                raise ValueError(f'option {field.name}: {value!r} is none of {shown}')
        try:
            re.compile(f'[{self.bucket_name_characters}]')
        except re.error as error:
            raise ValueError(f'option bucket_name_characters: {error}') from None

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Options:
        """Reads settings of the form `name=value`, as the command line has them.

        :raises ValueError: there is no such option, or it has no such value.
        """
        defaults = {field.name: field.default for field in fields(cls)}
        values: dict[str, Any] = {}
        for setting in settings:
            name, equals, text = setting.partition('=')
            name = name.strip().replace('-', '_')
            if not equals or name not in defaults:
                raise ValueError(
                    f'{setting!r} is no setting of an option; the options are: '
                    + ', '.join(defaults)
                )
            values[name] = _value(name, text.strip(), defaults[name])
        return cls(**values)


def _value(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in ('true', 'false'):
            raise ValueError(f'option {name}: true or false, not {text!r}')
        return text.lower() == 'true'
    if isinstance(default, int):
        if not text.replace('_', '').isdecimal():
            raise ValueError(f'option {name}: a number, not {text!r}')
        return int(text)
    return text


#: What the simulator does if nobody says otherwise.
DEFAULT_OPTIONS = Options()

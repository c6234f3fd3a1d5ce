"""Large files that are uploaded without the SHA-1 of all their content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from b2fast import B2Api, Bucket, UploadSourceBytes, UploadSourceLocalFile
from b2fast.exception import B2Error, CannotResumeUpload, SourceChanged
from b2fast.simulator import Fault

from ..conftest import Account
from ..helpers import sha1_of, through_pickle
from .unfinished_uploads import DATA, LENGTH, PARTS, begin, content_of, part_of, unfinished

MakeFile = Callable[..., Path]


@pytest.fixture
def plain(bucket: Bucket) -> Bucket:
    """A bucket whose client computes no SHA-1 of whole files."""
    bucket.api.whole_file_sha1 = False
    return bucket


def test_stored_only_if_wanted_or_known(bucket: Bucket, make_file: MakeFile) -> None:
    path = make_file(DATA)
    sha1 = sha1_of(DATA)
    assert bucket.upload_local_file(path, 'a').get_content_sha1() == sha1
    bucket.api.whole_file_sha1 = False
    assert bucket.upload_local_file(path, 'b').get_content_sha1() is None
    assert bucket.upload_bytes(DATA, 'c').file_info == {}
    assert bucket.upload_local_file(path, 'd', sha1_sum=sha1).get_content_sha1() == sha1
    assert bucket.upload_bytes(DATA, 'e', large_file_sha1=sha1).get_content_sha1() == sha1
    assert bucket.concatenate([UploadSourceLocalFile(path)], 'f').get_content_sha1() is None
    for name in 'abcdef':
        assert content_of(bucket, name) == DATA
    # The content of a small file is hashed in any case.
    assert bucket.upload_bytes(b'small', 'small').get_content_sha1() == sha1_of(b'small')


def test_every_part_has_its_sha1(plain: Bucket, make_file: MakeFile) -> None:
    """The digests that are sent are those of the parts: B2 says what it has received."""
    sent: list[str] = []
    finish = plain.api.session.finish_large_file
    plain.api.session.finish_large_file = (  # type: ignore[method-assign]
        lambda file_id, sha1s: sent.extend(sha1s) or finish(file_id, sha1s)
    )
    plain.upload_local_file(make_file(DATA), 'name')
    assert sent == [sha1_of(part_of(DATA, number)) for number in range(1, PARTS + 1)]


@pytest.mark.parametrize('account', ['faithful', 'http', 'http-streams'], indirect=True)
@pytest.mark.parametrize('sent', [1, 2, PARTS - 1])
def test_resumed(account: Account, plain: Bucket, make_file: MakeFile, sent: int) -> None:
    assert account.server is not None
    api = account.new_api(max_upload_workers=1)
    api.authorize_account(account.key_id, account.key, account.realm)
    api.whole_file_sha1 = False
    path = make_file(DATA)
    account.server.inject(Fault(call='b2_upload_part', status=400, skip=sent))
    with pytest.raises(B2Error):
        api.get_bucket_by_name(plain.name).upload_local_file(path, 'name')
    (file_id,) = unfinished(plain)
    before = plain.api.stats()
    assert plain.upload_local_file(path, 'name').id_ == file_id
    assert (plain.api.stats() - before).calls['b2_upload_part'] == PARTS - sent
    assert content_of(plain, 'name') == DATA


def test_a_file_with_a_sha1_is_not_taken(plain: Bucket) -> None:
    """Its SHA-1 would be stored without anybody having computed it."""
    file_id = begin(plain, [1, 2], info={'large_file_sha1': sha1_of(DATA)})
    assert plain.upload_bytes(DATA, 'name').id_ != file_id
    with pytest.raises(CannotResumeUpload, match='which this upload does not compute'):
        plain.resume_upload(file_id, UploadSourceBytes(DATA), 'name')
    assert unfinished(plain) == [file_id]
    plain.api.whole_file_sha1 = True
    assert plain.resume_upload(file_id, UploadSourceBytes(DATA), 'name').id_ == file_id


def test_content_that_changes_is_no_file(
    plain: Bucket, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes when the first part is hashed and not yet sent."""
    path = make_file(DATA)
    session = plain.api.session

    def change(file_id: str) -> dict[str, Any]:
        path.write_bytes(os.urandom(LENGTH))
        return get_url(file_id)

    get_url = session.get_upload_part_url
    monkeypatch.setattr(session, 'get_upload_part_url', change)
    with pytest.raises(SourceChanged):
        plain.upload_local_file(path, 'name')
    assert list(plain.ls()) == []


@pytest.mark.parametrize('account', ['http'], indirect=True)
def test_another_process_gets_the_setting(api: B2Api) -> None:
    assert through_pickle(api).whole_file_sha1
    api.whole_file_sha1 = False
    assert not through_pickle(api).whole_file_sha1

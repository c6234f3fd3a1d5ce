"""What a client does when a fault strikes it, and what has to be true afterwards."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from b2fast import B2Api, Bucket

from .service import BUCKET, PART_SIZE, Service

Group = Literal['call', 'content', 'download']
"""Requests of one group are tried again alike, and fail alike."""

OLD = b'what was there before'


@dataclass
class Scene:
    """One client with something to do.

    :param name: what the names of its files begin with, and nobody else's
    :param directory: an empty one of its own
    """

    service: Service
    api: B2Api
    name: str
    directory: Path

    @property
    def bucket(self) -> Bucket:
        """The bucket, which is not asked for again."""
        return Bucket(self.api, self.service.bucket_id, name=BUCKET)

    def data(self, size: int) -> bytes:
        """So many bytes, other ones for each name, that do not repeat."""
        return (self.name.encode() + os.urandom(size))[-size:] if size else b''


class Deed:
    """Something to do, whose request ``call`` meets a fault.

    `prepare` comes before the fault, `act` meets it; `done` tells that all is as it should be
    after success, `not_done` that nothing is wrong after an error.
    """

    group: Group = 'call'
    call: str
    within: ClassVar[int] = 10
    """An offset within the answer's body."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.service = scene.service
        self.prepare()

    def prepare(self) -> None:
        """What is there before."""

    def act(self) -> None:
        """What is tried."""
        raise NotImplementedError

    def done(self) -> None:
        """Check what there is after success."""

    def not_done(self, error: Exception) -> None:
        """Check what there is after a failure."""


class Upload(Deed):
    """A local file that becomes a new version of a file."""

    size: int

    def prepare(self) -> None:
        self.content = self.scene.data(self.size)
        self.path = self.scene.directory / 'source'
        self.path.write_bytes(self.content)
        self.old = self.service.upload(self.scene.name, OLD)
        self.id_ = ''

    def act(self) -> None:
        self.id_ = self.scene.bucket.upload_local_file(self.path, self.scene.name).id_

    def done(self) -> None:
        newest, *others = self._complete_ones()
        assert newest == self.id_
        assert others[-1] == self.old
        self.check_unfinished(None)

    def not_done(self, error: Exception) -> None:
        assert self._complete_ones()[-1] == self.old
        self.check_unfinished(error)

    def _complete_ones(self) -> list[str]:
        """All versions, each of them whole; the newest first."""
        found = self.service.versions(self.scene.name)
        for version in found:
            expected = OLD if version['fileId'] == self.old else self.content
            assert self.service.content(version['fileId']) == expected
        return [version['fileId'] for version in found]

    def check_unfinished(self, error: Exception | None) -> None:
        """The error tells of every unfinished large file; after success there is none."""
        notes = ' '.join(getattr(error, '__notes__', []))
        assert [id_ for id_ in self.service.unfinished(self.scene.name) if id_ not in notes] == []


class SmallUpload(Upload):
    """In one request."""

    group = 'content'
    call = 'b2_upload_file'
    size = PART_SIZE * 3 // 2


class UploadUrl(SmallUpload):
    """Asking where to."""

    group = 'call'
    call = 'b2_get_upload_url'


class PartUpload(Upload):
    """In four parts, the last one of which is small."""

    group = 'content'
    call = 'b2_upload_part'
    size = PART_SIZE * 3 + 17


class PartUploadUrl(PartUpload):
    """Asking where to."""

    group = 'call'
    call = 'b2_get_upload_part_url'


class StartLargeFile(PartUpload):
    """Beginning one.

    When the answer is lost, nobody knows that it has begun; it is begun again. Nothing is sent to
    what is left of that.
    """

    group = 'call'
    call = 'b2_start_large_file'
    answer_is_lost = False

    def check_unfinished(self, error: Exception | None) -> None:
        if not self.answer_is_lost:
            super().check_unfinished(error)
            return
        for id_ in self.service.unfinished(self.scene.name):
            assert self.service.call('b2_list_parts', fileId=id_)['parts'] == []


class FinishLargeFile(PartUpload):
    """Ending one."""

    group = 'call'
    call = 'b2_finish_large_file'


class Download(Deed):
    """A file that replaces a local one."""

    group = 'download'
    call = 'b2_download_file_by_name'
    size = 200_000
    within = 70_000
    flipped = False
    range_: tuple[int, int] | None = None

    def prepare(self) -> None:
        self.content = self.scene.data(self.size)
        self.id_ = self.service.upload(self.scene.name, self.content)
        self.target = self.scene.directory / 'target'
        self.target.write_bytes(OLD)

    def act(self) -> None:
        bucket, name = self.scene.bucket, self.scene.name
        bucket.download_file_by_name(name, range_=self.range_).save_to(self.target)

    def done(self) -> None:
        first, last = self.range_ or (0, self.size - 1)
        expected, found = self.content[first : last + 1], self.target.read_bytes()
        if self.flipped and self.range_ is not None:
            # B2 has no digest of a range: only TLS protects it.
            expected = bytes([expected[0] ^ 0xFF]) + expected[1:]
        assert found == expected
        assert os.listdir(self.scene.directory) == ['target']

    def not_done(self, error: Exception) -> None:
        assert self.target.read_bytes() == OLD
        assert os.listdir(self.scene.directory) == ['target']


class RangeByName(Download):
    """A range of it, of which B2 tells no digest."""

    range_ = (70_000, 190_000)


class DownloadById(Download):
    """The same by ID."""

    call = 'b2_download_file_by_id'

    def act(self) -> None:
        self.scene.api.download_file_by_id(self.id_, range_=self.range_).save_to(self.target)


class RangeById(DownloadById):
    """A range of it by ID."""

    range_ = (70_000, 190_000)


class LargeDownload(DownloadById):
    """Over several connections, where there is the engine."""

    size = 6 * 1024 * 1024
    within = 400_000


class IntoFileObject(Download):
    """Into a file object; what has arrived before a failure stays there."""

    def act(self) -> None:
        file = io.BytesIO()
        self.scene.bucket.download_file_by_name(self.scene.name).save(file)
        self.target.write_bytes(file.getvalue())


class Call(Deed):
    """A call without content, about a file that is there."""

    expected: object = None

    def prepare(self) -> None:
        self.id_ = self.service.upload(self.scene.name, OLD)
        self.answer: object = None

    def act(self) -> None:
        self.answer = self.ask()

    def ask(self) -> Any:
        """Make the call; returns what of its answer can be foretold."""
        raise NotImplementedError

    def done(self) -> None:
        assert self.answer == self.expected


class Authorize(Call):
    """For another time."""

    call = 'b2_authorize_account'

    def ask(self) -> Any:
        self.scene.api.authorize_account(self.service.key_id, self.service.key, self.service.url)


class ListBuckets(Call):
    call = 'b2_list_buckets'
    expected = (BUCKET,)

    def ask(self) -> Any:
        return tuple(bucket.name for bucket in self.scene.api.list_buckets())


class ListFileNames(Call):
    call = 'b2_list_file_names'

    def ask(self) -> Any:
        # A path that may be a file's name is looked for among the versions.
        listed = self.scene.bucket.ls(self.scene.name + '*', recursive=True, with_wildcard=True)
        found = [version.id_ for version, _ in listed]
        assert found == [self.id_]


class ListFileVersions(Call):
    call = 'b2_list_file_versions'

    def ask(self) -> Any:
        found = [version.id_ for version in self.scene.bucket.list_file_versions(self.scene.name)]
        assert found == [self.id_]


class FileInfo(Call):
    call = 'b2_get_file_info'
    expected = len(OLD)

    def ask(self) -> Any:
        return self.scene.api.get_file_info(self.id_).size


class HeadFile(Call):
    call = 'b2_download_file_by_name'
    expected = len(OLD)

    def ask(self) -> Any:
        return self.scene.bucket.get_file_info_by_name(self.scene.name).content_length


class DownloadAuthorization(Call):
    call = 'b2_get_download_authorization'

    def ask(self) -> Any:
        assert self.scene.bucket.get_download_authorization(self.scene.name, 60)


class HideFile(Call):
    """The second one is refused; the work of the first is done."""

    call = 'b2_hide_file'
    expected = 'hide'

    def ask(self) -> Any:
        return self.scene.bucket.hide_file(self.scene.name).action


class DeleteFileVersion(Call):
    """The second one is refused; the work of the first is done."""

    call = 'b2_delete_file_version'

    def ask(self) -> Any:
        self.scene.api.delete_file_version(self.id_, self.scene.name)

    def done(self) -> None:
        assert self.service.versions(self.scene.name) == []

    def not_done(self, error: Exception) -> None:
        versions = self.service.versions(self.scene.name)
        assert [version['fileId'] for version in versions] in ([], [self.id_])


class CopyFile(Call):
    call = 'b2_copy_file'

    def ask(self) -> Any:
        self.scene.bucket.copy(self.id_, self.scene.name + '-copy')

    def done(self) -> None:
        copies = self.service.versions(self.scene.name + '-copy')
        assert copies
        assert {self.service.content(copy['fileId']) for copy in copies} == {OLD}

    def not_done(self, error: Exception) -> None:
        for copy in self.service.versions(self.scene.name + '-copy'):
            assert self.service.content(copy['fileId']) == OLD


class LargeFileCall(Call):
    """A call about an unfinished large file."""

    def prepare(self) -> None:
        super().prepare()
        self.large_id = self.service.call(
            'b2_start_large_file',
            bucketId=self.service.bucket_id,
            fileName=self.scene.name,
            contentType='text/plain',
        )['fileId']

    def parts(self) -> list[tuple[int, int]]:
        """Number and size of each part that is there."""
        answer = self.service.call('b2_list_parts', fileId=self.large_id)
        return [(part['partNumber'], part['contentLength']) for part in answer['parts']]


class CopyPart(LargeFileCall):
    call = 'b2_copy_part'

    def ask(self) -> Any:
        self.scene.api.session.copy_part(self.id_, self.large_id, 1)

    def done(self) -> None:
        assert self.parts() == [(1, len(OLD))]

    def not_done(self, error: Exception) -> None:
        assert self.parts() in ([], [(1, len(OLD))])


class ListParts(LargeFileCall):
    call = 'b2_list_parts'
    expected = ()

    def ask(self) -> Any:
        return tuple(self.scene.bucket.list_parts(self.large_id))


class ListUnfinished(LargeFileCall):
    call = 'b2_list_unfinished_large_files'

    def ask(self) -> Any:
        found = list(self.scene.bucket.list_unfinished_large_files(prefix=self.scene.name))
        assert [file.file_id for file in found] == [self.large_id]


class CancelLargeFile(LargeFileCall):
    """The second one is refused; the work of the first is done."""

    call = 'b2_cancel_large_file'

    def ask(self) -> Any:
        self.scene.bucket.cancel_large_file(self.large_id)

    def done(self) -> None:
        assert self.service.unfinished(self.scene.name) == []


DEEDS: list[type[Deed]] = [
    Authorize,
    UploadUrl,
    SmallUpload,
    StartLargeFile,
    PartUploadUrl,
    PartUpload,
    FinishLargeFile,
    Download,
    RangeByName,
    DownloadById,
    RangeById,
    LargeDownload,
    IntoFileObject,
    HeadFile,
    FileInfo,
    ListBuckets,
    ListFileNames,
    ListFileVersions,
    ListUnfinished,
    ListParts,
    DownloadAuthorization,
    CopyFile,
    CopyPart,
    HideFile,
    DeleteFileVersion,
    CancelLargeFile,
]

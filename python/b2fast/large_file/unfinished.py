"""Finds the unfinished large file that an upload goes on with, and the parts that are there.

It is one of the same name, metadata and content. The SHA-1 in its file info says what its
content is; a file without one, as other programs start it, says it by its parts, which all have
to be those of the upload. A part that is copied within B2 proves nothing, since nobody here knows
its SHA-1: it is copied again.

B2 orders the versions of a name by when they were started. An unfinished file that is older than
the newest version would not become the newest one, so it is not taken.

Another process may be sending into the same file: nobody can tell. That does no harm, since both
have the same content: a part replaces an equal one, and a large file is finished only with the
SHA-1 of each of its parts. Who comes too late finds the finished file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..encryption.types import EncryptionMode
from ..exception import B2Error, BadRequest, CannotResumeUpload, ResourceNotFound
from ..file_lock import NO_RETENTION_FILE_SETTING, UNKNOWN_FILE_RETENTION_SETTING, LegalHold
from ..http_constants import LARGE_FILE_SHA1
from . import in_use
from .services import AUTO_CONTENT_TYPE, MAX_BATCH_SIZE

if TYPE_CHECKING:
    from ..services import Services
    from ..transfer.outbound.file_upload import FileUpload
    from .part import Part
    from .unfinished_large_file import UnfinishedLargeFile


_VERSIONS_PER_CALL = 1000
"""As many as B2 bills as one transaction."""


@dataclass(frozen=True, slots=True)
class LargeFilePlan:
    """What is about to be uploaded in parts."""

    upload: FileUpload
    lengths: Sequence[int]
    """Of each part, in bytes."""
    sha1: str | None
    """Of all the content, in hex; None if nobody knows."""
    part_sha1: Callable[[int], str | None]
    """Tells the SHA-1 of the part of a number, for which it may have to read the content; None
    for a part that is stored again in any case."""


@dataclass(frozen=True, slots=True)
class StartedFile:
    """A large file that parts can be sent to."""

    file_id: str
    parts: dict[int, Part]
    """Those that are there already, by their numbers."""


def claim_unfinished(services: Services, plan: LargeFilePlan) -> StartedFile | None:
    """The unfinished large file with most parts of an upload, claimed for it; None without any.

    None too if the key may not list files, or if B2 refuses the listing: an upload can do
    without. Raises errors that may pass, after the usual retries.
    """
    account_info = services.session.account_info
    if 'listFiles' not in account_info.get_allowed()['capabilities']:
        return None
    if _has_customers_key(plan):
        return None
    account_id = account_info.get_account_id()
    best: StartedFile | None = None
    newest: float | None = None
    try:
        for file in _listed_files(services, plan):
            if misfit(file, plan) is not None:
                continue
            if newest is None:
                newest = _newest_version(services, plan.upload)
            if file.start_timestamp is None or file.start_timestamp <= newest:
                continue
            found = _claimed_if_parts_fit(services, account_id, file, plan)
            if found is None:
                continue
            if best is not None and len(found.parts) <= len(best.parts):
                in_use.release(account_id, found.file_id)
                continue
            if best is not None:
                in_use.release(account_id, best.file_id)
            best = found
    except BaseException:
        if best is not None:
            in_use.release(account_id, best.file_id)
        raise
    return best


def claim_given(services: Services, plan: LargeFilePlan, file_id: str) -> StartedFile:
    """The unfinished large file that the user names, claimed for an upload.

    Raises `CannotResumeUpload`, which says why it does not fit, and errors of the service.
    """
    upload = plan.upload
    file = get_unfinished(services, upload.bucket_id, file_id, upload.file_name)
    reason = misfit(file, plan)
    if reason is not None:
        raise CannotResumeUpload(file_id, reason)
    with claimed_or_refused(services, file_id):
        there = {}
        for part in _listed_parts(services, file_id):
            number = part.part_number
            if number > len(plan.lengths):
                raise CannotResumeUpload(
                    file_id, f'it has a part {number}, the content has {len(plan.lengths)}'
                )
            fits = part.content_length == plan.lengths[number - 1]
            if fits and part.content_sha1 == plan.part_sha1(number):
                there[number] = part
    return StartedFile(file_id, there)


@contextmanager
def claimed_or_refused(services: Services, file_id: str) -> Iterator[None]:
    """Claim a large file that the user names; an error while it is looked at gives it back.

    Raises `CannotResumeUpload` if another upload of the process has it.
    """
    account_id = services.session.account_info.get_account_id()
    if not in_use.claim(account_id, file_id):
        raise CannotResumeUpload(file_id, 'another upload of this process is sending its parts')
    try:
        yield
    except BaseException:
        in_use.release(account_id, file_id)
        raise


def get_unfinished(
    services: Services, bucket_id: str, file_id: str, file_name: str
) -> UnfinishedLargeFile:
    """The unfinished large file of an ID and a name.

    Raises `CannotResumeUpload` if there is none.
    """
    file = _unfinished_of(services, bucket_id, file_id, file_name)
    if file is None:
        raise CannotResumeUpload(file_id, _why_not_there(services, bucket_id, file_id))
    return file


def misfit(file: UnfinishedLargeFile, plan: LargeFilePlan) -> str | None:
    """Why an unfinished file is not that of an upload, in words; None if it is."""
    upload = plan.upload
    if file.file_name != upload.file_name:
        return f'its name is {file.file_name!r}'
    if upload.content_type not in (AUTO_CONTENT_TYPE, file.content_type):
        return f'its content type is {file.content_type}'
    if _other_info(file.file_info) != _other_info(upload.file_info):
        return 'it has other file info'
    sha1 = file.file_info.get(LARGE_FILE_SHA1)
    if sha1 is not None and plan.sha1 is None:
        return 'it has a SHA-1 of all its content, which this upload does not compute'
    if sha1 not in (None, plan.sha1):
        return 'its SHA-1 is that of other content'
    if file.encryption.mode is EncryptionMode.SSE_C:
        return 'B2 does not tell which key of its customer its parts are encrypted with'
    if upload.encryption is not None and upload.encryption != file.encryption:
        return 'it is encrypted otherwise'
    # Many keys may neither set locks nor read them; who asks for one has to see it.
    holds = (LegalHold.UNSET, LegalHold.UNKNOWN)
    if file.legal_hold not in (holds if upload.legal_hold is None else (upload.legal_hold,)):
        return 'it has another legal hold'
    retentions = (NO_RETENTION_FILE_SETTING, UNKNOWN_FILE_RETENTION_SETTING)
    if file.file_retention not in (
        retentions if upload.file_retention is None else (upload.file_retention,)
    ):
        return 'it has another retention'
    if upload.custom_upload_timestamp not in (None, file.start_timestamp):
        return 'it has another upload timestamp'
    return None


def _other_info(file_info: dict[str, str]) -> dict[str, str]:
    """File info without the SHA-1; B2 keeps the names in lower case."""
    info = {name.lower(): value for name, value in file_info.items()}
    info.pop(LARGE_FILE_SHA1, None)
    return info


def _has_customers_key(plan: LargeFilePlan) -> bool:
    """Is it SSE-C? Such files are not resumed: with which key their parts are encrypted shows
    when the file is read, and then it is too late."""
    encryption = plan.upload.encryption
    return encryption is not None and encryption.mode is EncryptionMode.SSE_C


def _listed_files(services: Services, plan: LargeFilePlan) -> Iterator[UnfinishedLargeFile]:
    try:
        yield from services.large_file.list_unfinished_large_files(
            plan.upload.bucket_id, prefix=plan.upload.file_name
        )
    except B2Error as error:
        if error.should_retry_http():
            raise


def _newest_version(services: Services, upload: FileUpload) -> float:
    """When the newest version of the name was started, in milliseconds since 1970.

    Infinite if that is not to be learnt.
    """
    if upload.custom_upload_timestamp is not None:
        # The order is what the user says, however it is uploaded.
        return -math.inf
    name = upload.file_name
    try:
        answer = services.session.list_file_versions(
            upload.bucket_id, name, None, _VERSIONS_PER_CALL, name
        )
    except B2Error as error:
        if error.should_retry_http():
            raise
        return math.inf
    for version in answer['files']:
        if version['fileName'] != name:
            return -math.inf
        if version['action'] != 'start':
            return float(version['uploadTimestamp'])
    return -math.inf if answer['nextFileName'] is None else math.inf


def _claimed_if_parts_fit(
    services: Services, account_id: str, file: UnfinishedLargeFile, plan: LargeFilePlan
) -> StartedFile | None:
    # Claimed before its parts are listed: afterwards another upload may have finished it.
    if not in_use.claim(account_id, file.file_id):
        return None
    there = None
    try:
        there = _matching_parts(services, file, plan)
    finally:
        if there is None:
            in_use.release(account_id, file.file_id)
    return None if there is None else StartedFile(file.file_id, there)


def _matching_parts(
    services: Services, file: UnfinishedLargeFile, plan: LargeFilePlan
) -> dict[int, Part] | None:
    """The parts that need not be sent; None if the file is not this upload's."""
    try:
        parts = _listed_parts(services, file.file_id)
    except B2Error as error:
        if error.should_retry_http():
            raise
        # It was finished or cancelled since the listing.
        return None
    same_content = LARGE_FILE_SHA1 in file.file_info
    there = {}
    for part in parts:
        number = part.part_number
        if number > len(plan.lengths) or part.content_length != plan.lengths[number - 1]:
            # Cut otherwise. Somebody may be sending the rest of it.
            return None
        expected = plan.part_sha1(number)
        if part.content_sha1 == expected:
            there[number] = part
        elif expected is not None and not same_content:
            return None
    return there if there or same_content else None


def _listed_parts(services: Services, file_id: str) -> list[Part]:
    return list(services.large_file.list_parts(file_id, batch_size=MAX_BATCH_SIZE))


def _unfinished_of(
    services: Services, bucket_id: str, file_id: str, prefix: str | None = None
) -> UnfinishedLargeFile | None:
    try:
        return services.large_file.get_unfinished_large_file(bucket_id, file_id, prefix)
    except (BadRequest, ResourceNotFound):
        # What is no file ID at all.
        return None


def _why_not_there(services: Services, bucket_id: str, file_id: str) -> str:
    """Why no unfinished file of the ID and the upload's name was found."""
    try:
        other = _unfinished_of(services, bucket_id, file_id)
        if other is not None:
            return f'its name is {other.file_name!r}'
        if services.session.get_file_info_by_id(file_id).get('action') == 'upload':
            return 'it is finished already'
    except B2Error:
        # Not for this key to know.
        pass
    return 'the bucket has no such unfinished file of that name'

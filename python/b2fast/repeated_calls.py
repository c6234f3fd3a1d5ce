"""Calls that are refused when they come again, since the first one has done the work.

A call is made again when its answer is lost or cannot be read: nobody knows then what the service
did. What it answers to the second one is no failure if the work is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .exception import (
    BadRequest,
    FileAlreadyHidden,
    FileNotPresent,
    InvalidJsonResponse,
    ResourceNotFound,
    Unauthorized,
)

if TYPE_CHECKING:
    from .session import B2Session

_REFUSALS = (BadRequest, FileAlreadyHidden, FileNotPresent)
"""Of a call whose work is done. Without a text that can be read all of them are `BadRequest`."""
_NOT_THERE = (BadRequest, FileNotPresent, ResourceNotFound)
_VERSIONS_PER_CALL = 1000
"""As many as B2 bills as one transaction."""

Answer = dict[str, Any]


def answer_of_repeated(call: Callable[[], Answer], find: Callable[[], Answer | None]) -> Answer:
    """Make a call, once more if its answer cannot be read.

    :param find: is asked if the call was repeated and refused: it looks whether the work is done,
        and gives the answer that the first call would have had. None leaves the refusal as it is,
        and so does a key that may not look.
    """
    is_repeated = False
    try:
        try:
            return call()
        except InvalidJsonResponse:
            is_repeated = True
            return call()
    except _REFUSALS as error:
        if not is_repeated and (error.attempts or 1) == 1:
            raise
        try:
            answer = find()
        except (Unauthorized, *_NOT_THERE):
            answer = None
        if answer is None:
            raise
        return answer


def hide_marker(session: B2Session, bucket_id: str, file_name: str) -> Answer | None:
    """The hide marker that is the newest version of a file; None if another version is."""
    answer = session.list_file_versions(
        bucket_id, file_name, None, _VERSIONS_PER_CALL, prefix=file_name
    )
    for version in answer['files']:
        # An unfinished large file hides nothing, and another file may follow.
        if version['fileName'] == file_name and version['action'] != 'start':
            found: Answer = version
            return found if found['action'] == 'hide' else None
    return None


def deleted_version(session: B2Session, file_id: str, file_name: str) -> Answer | None:
    """What is said of a version when it is deleted; None if it is there, under whatever name."""
    if not _is_refused(lambda: session.get_file_info_by_id(file_id)):
        return None
    return {'fileId': file_id, 'fileName': file_name}


def cancelled_large_file(session: B2Session, file_id: str) -> Answer | None:
    """What is said of a large file when it is cancelled; None if it is finished or goes on.

    Its name is empty: nothing tells that of a file that is gone.
    """
    is_gone = _is_refused(lambda: session.list_parts(file_id, None, 1)) and _is_refused(
        lambda: session.get_file_info_by_id(file_id)
    )
    return {'fileId': file_id, 'fileName': ''} if is_gone else None


def _is_refused(call: Callable[[], Answer]) -> bool:
    """Does the service say that there is no such file?"""
    try:
        call()
    except _NOT_THERE:
        return True
    return False

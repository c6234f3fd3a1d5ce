"""The end of a large file: finished, or left for another time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...exception import B2Error
from ...http_constants import LARGE_FILE_SHA1

if TYPE_CHECKING:
    from ...session import B2Session


def finish_large_file(
    session: B2Session,
    file_id: str,
    part_sha1s: Sequence[str],
    length: int,
    sha1s: Collection[str | None] | None = None,
) -> dict[str, Any]:
    """Make the parts a file (``b2_finish_large_file``); returns B2's answer.

    :param part_sha1s: the SHA-1 of each part in hex, in order
    :param length: bytes of all parts
    :param sha1s: what a file that is finished already may say of its content; None for anything
    """
    try:
        return session.finish_large_file(file_id, list(part_sha1s))
    except B2Error:
        # The answer may have been lost and the work done, which a repeated call is refused
        # for; or another process was faster.
        found = finished_file(session, file_id, length, sha1s)
        if found is None:
            raise
        return found


def finished_file(
    session: B2Session, file_id: str, length: int, sha1s: Collection[str | None] | None = None
) -> dict[str, Any] | None:
    """The file as B2 has it, if it is finished with this content; see `finish_large_file`."""
    try:
        found = session.get_file_info_by_id(file_id)
    except B2Error:
        return None
    # Only a finished file has an upload's file info.
    same = found.get('action') == 'upload' and found.get('contentLength') == length
    if same and sha1s is not None:
        same = found.get('fileInfo', {}).get(LARGE_FILE_SHA1) in sha1s
    return found if same else None


@contextmanager
def named_in_errors(file_name: str, file_id: str) -> Iterator[None]:
    """Say in an error which large file is left unfinished."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f'the upload of {file_name!r} is not finished; its large file ID is {file_id}'
        )
        raise

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
    session: B2Session, file_id: str, part_sha1s: Sequence[str], length: int, sha1: str | None
) -> dict[str, Any]:
    """Make the parts a file (``b2_finish_large_file``); returns B2's answer.

    :param part_sha1s: the SHA-1 of each part in hex, in order
    :param length: bytes of all parts
    :param sha1: of all the content in hex, if it is known
    """
    try:
        return session.finish_large_file(file_id, list(part_sha1s))
    except B2Error as error:
        # The answer may have been lost and the work done, which a repeated call is refused
        # for; or another process was faster. What that one has made is ours only if its SHA-1
        # says so: a file that nobody knows the SHA-1 of must be the work of a call of our own.
        if sha1 is None and error.attempts is None:
            raise
        found = finished_file(session, file_id, length, {sha1, None})
        if found is None:
            raise
        return found


def finished_file(
    session: B2Session, file_id: str, length: int, sha1s: Collection[str | None]
) -> dict[str, Any] | None:
    """The file as B2 has it, if it is finished with this content.

    :param length: bytes
    :param sha1s: what its file info may say of its content
    """
    try:
        found = session.get_file_info_by_id(file_id)
    except B2Error:
        return None
    # Only a finished file has an upload's file info.
    same = found.get('action') == 'upload' and found.get('contentLength') == length
    return found if same and found.get('fileInfo', {}).get(LARGE_FILE_SHA1) in sha1s else None


@contextmanager
def named_in_errors(file_name: str, file_id: str) -> Iterator[None]:
    """Say in an error which large file is left unfinished."""
    try:
        yield
    except Exception as error:
        if isinstance(error, B2Error):
            error.unfinished_large_file_id = file_id
        error.add_note(
            f'the upload of {file_name!r} is not finished; its large file ID is {file_id}'
        )
        raise

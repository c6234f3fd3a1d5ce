"""One uploaded part of a large file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Part:
    """A part of an unfinished large file, as ``b2_list_parts`` and ``b2_upload_part`` tell it.

    :param part_number: counted from 1
    :param content_length: bytes
    :param content_sha1: 40 hexadecimal digits
    """

    def __init__(
        self, file_id: str, part_number: int, content_length: int, content_sha1: str
    ) -> None:
        self.file_id = file_id
        self.part_number = part_number
        self.content_length = content_length
        self.content_sha1 = content_sha1

    @classmethod
    def from_api_response(cls, response: Mapping[str, Any]) -> Self:
        """Made from the part object of a B2 answer."""
        return cls(
            response['fileId'],
            response['partNumber'],
            response['contentLength'],
            response['contentSha1'],
        )

    def __repr__(self) -> str:
        return (
            f'<{type(self).__name__} {self.file_id} {self.part_number} '
            f'{self.content_length} {self.content_sha1}>'
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

"""Many calls without content: deletions, and copies within B2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..http_constants import DEFAULT_MAX_PART_SIZE
from .items import CopyItem, copy_item, id_and_name

if TYPE_CHECKING:
    from ..bucket import Bucket
    from ..file_version import FileIdAndName, FileVersion
    from .progress import Share


class Deletions:
    """Deletes versions.

    :param bypass_governance: delete them although governance retention protects them
    """

    def __init__(self, bucket: Bucket, bypass_governance: bool) -> None:
        self._bucket = bucket
        self._bypass_governance = bypass_governance

    def delete(self, item: Any, share: Share) -> FileIdAndName:
        """Delete one version; see `Bucket.delete_file_version`."""
        file_id, file_name = id_and_name(item)
        return self._bucket.delete_file_version(file_id, file_name, self._bypass_governance)


class Copies:
    """Copies files into a bucket.

    :param defaults: what an item leaves open; its source and its name mean nothing
    """

    def __init__(self, bucket: Bucket, defaults: CopyItem) -> None:
        self._bucket = bucket
        self._defaults = defaults

    def copy(self, item: Any, share: Share) -> FileVersion:
        """Copy one file; see `Bucket.copy`."""
        given, defaults = copy_item(item), self._defaults
        source = given.source
        version = None if isinstance(source, str) else source
        # Without a length, a copy is one call, which takes no more than that.
        is_large = version is not None and version.size > DEFAULT_MAX_PART_SIZE
        return self._bucket.copy(
            source if isinstance(source, str) else source.id_,
            given.new_file_name,
            content_type=given.content_type or defaults.content_type,
            file_info=defaults.file_info if given.file_info is None else given.file_info,
            length=version.size if version is not None and is_large else None,
            progress_listener=share,
            source_encryption=given.source_encryption or defaults.source_encryption,
            destination_encryption=given.destination_encryption or defaults.destination_encryption,
            source_file_info=None if version is None else version.file_info,
            source_content_type=None if version is None else version.content_type,
        )

"""Folders as users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..exception import InvalidArgument
from .folder import AbstractFolder, B2Folder, LocalFolder

if TYPE_CHECKING:
    from ..api import B2Api


def parse_folder(
    folder_name: str,
    api: B2Api,
    local_folder_class: Callable[[str], AbstractFolder] = LocalFolder,
    b2_folder_class: Callable[[str, str, B2Api], AbstractFolder] = B2Folder,
) -> AbstractFolder:
    """The folder of a name: ``b2://bucket/folder`` or ``b2:bucket/folder``, else a local path.

    A ``/`` at the end of a folder of a bucket makes no difference.

    :param api: for buckets
    :param local_folder_class: is called with the path
    :param b2_folder_class: is called with bucket name, folder name and ``api``
    :raises InvalidArgument: for ``//`` in the folder of a bucket.
    :raises NonExistentBucket: if there is no such bucket.
    """
    if folder_name.startswith('b2://'):
        place = folder_name.removeprefix('b2://')
    elif folder_name.startswith('b2:') and not folder_name.startswith('b2:/'):
        place = folder_name.removeprefix('b2:')
    else:
        return local_folder_class(folder_name)
    if '//' in place:
        raise InvalidArgument('folder_name', "'//' not allowed in path names")
    bucket_name, _, folder = place.partition('/')
    return b2_folder_class(bucket_name, folder.removesuffix('/'), api)

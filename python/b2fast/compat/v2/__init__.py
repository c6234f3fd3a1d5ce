"""`b2sdk.v2`: what differs from `b2sdk.v3`, and all the rest of it."""

from __future__ import annotations

from typing import Any

from .. import v3
from . import exception as exception
from .account_info import (
    AbstractAccountInfo as AbstractAccountInfo,
    InMemoryAccountInfo as InMemoryAccountInfo,
    SqliteAccountInfo as SqliteAccountInfo,
    StubAccountInfo as StubAccountInfo,
    UrlPoolAccountInfo as UrlPoolAccountInfo,
)
from .api import (
    B2Api as B2Api,
    Services as Services,
)
from .api_config import (
    DEFAULT_HTTP_API_CONFIG as DEFAULT_HTTP_API_CONFIG,
    B2HttpApiConfig as B2HttpApiConfig,
)
from .application_key import (
    ApplicationKey as ApplicationKey,
    BaseApplicationKey as BaseApplicationKey,
    FullApplicationKey as FullApplicationKey,
)
from .b2http import (
    B2Http as B2Http,
)
from .bucket import (
    Bucket as Bucket,
    BucketFactory as BucketFactory,
)
from .file_version import (
    FileVersion as FileVersion,
    FileVersionFactory as FileVersionFactory,
)
from .large_file import (
    LargeFileServices as LargeFileServices,
    UnfinishedLargeFile as UnfinishedLargeFile,
)
from .raw_api import (
    AbstractRawApi as AbstractRawApi,
    B2RawHTTPApi as B2RawHTTPApi,
)
from .raw_simulator import (
    BucketSimulator as BucketSimulator,
    KeySimulator as KeySimulator,
    RawSimulator as RawSimulator,
)
from .replication.setup import (
    ReplicationSetupHelper as ReplicationSetupHelper,
)
from .session import (
    B2Session as B2Session,
)
from .utils import (
    TempDir as TempDir,
)

_OTHER_NAMES = {
    'AbstractSyncPath': 'AbstractPath',
    'B2SyncPath': 'B2Path',
    'LocalSyncPath': 'LocalPath',
    'parse_sync_folder': 'parse_folder',
}
"""What is called otherwise in v3."""

__all__ = sorted({*v3.__all__, *_OTHER_NAMES, 'TempDir'})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(v3, _OTHER_NAMES.get(name, name))

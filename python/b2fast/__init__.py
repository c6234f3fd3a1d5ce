"""Moves data to and from Backblaze B2: the API of b2sdk on a Rust core.

Every public name is here and its module is imported when the name is first used, so that
``import b2fast`` takes next to no time.
"""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from . import _core
from ._core import __version__

if TYPE_CHECKING:
    from .account_info import (
        AbstractAccountInfo as AbstractAccountInfo,
    )
    from .account_info import (
        InMemoryAccountInfo as InMemoryAccountInfo,
    )
    from .account_info import (
        UrlPoolAccountInfo as UrlPoolAccountInfo,
    )
    from .api import B2Api as B2Api
    from .api_config import (
        DEFAULT_HTTP_API_CONFIG as DEFAULT_HTTP_API_CONFIG,
    )
    from .api_config import (
        B2HttpApiConfig as B2HttpApiConfig,
    )
    from .application_key import (
        ApplicationKey as ApplicationKey,
    )
    from .application_key import (
        BaseApplicationKey as BaseApplicationKey,
    )
    from .application_key import (
        FullApplicationKey as FullApplicationKey,
    )
    from .bucket import Bucket as Bucket
    from .bucket_factory import BucketFactory as BucketFactory

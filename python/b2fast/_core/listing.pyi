from collections.abc import Callable
from typing import Any

from ..api import B2Api
from ..file_version import FileVersion

def read_page(
    content: bytes,
    version_class: type[FileVersion],
    api: B2Api,
    setting_of: Callable[[str, str | None, str, dict[str, str]], tuple[object, bool]],
) -> dict[str, Any] | None: ...

__all__ = ['read_page']

"""What streams that are only read have in common."""

from __future__ import annotations

import io
from typing import Any, NoReturn


class ReadOnlyStreamMixin:
    """Refuses to write."""

    def writable(self) -> bool:
        """No."""
        return False

    def writeable(self) -> bool:
        """No; b2sdk writes the name so."""
        return False

    def write(self, data: Any) -> NoReturn:
        """Raise `io.UnsupportedOperation`."""
        raise io.UnsupportedOperation('the stream is only read')

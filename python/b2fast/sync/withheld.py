"""Actions that wait for the end of the scan."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO

from .action import AbstractAction, B2DeleteAction, B2HideAction, LocalDeleteAction

_IN_MEMORY = 1000
_PLAIN = {cls.__name__: cls for cls in (B2DeleteAction, B2HideAction, LocalDeleteAction)}
"""What is written to the file: their attributes, which are their parameters, are strings."""


class WithheldActions:
    """Keeps any number of actions in little memory, in a temporary file.

    Those of classes that are not the package's own stay in memory.
    """

    def __init__(self) -> None:
        self._recent: list[AbstractAction] = []
        self._foreign: list[AbstractAction] = []
        self._file: IO[str] | None = None
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, action: AbstractAction) -> None:
        """Keep an action."""
        self._count += 1
        if type(action) not in _PLAIN.values():
            self._foreign.append(action)
            return
        self._recent.append(action)
        if len(self._recent) == _IN_MEMORY:
            if self._file is None:
                self._file = tempfile.TemporaryFile('w+', encoding='ascii')  # noqa: SIM115
            rows = [(type(action).__name__, vars(action)) for action in self._recent]
            self._file.write(json.dumps(rows) + '\n')
            self._recent = []

    def take(self) -> Iterator[AbstractAction]:
        """The actions, each once."""
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                for line in file:
                    for name, attributes in json.loads(line):
                        yield _PLAIN[name](**attributes)
        yield from self._recent
        yield from self._foreign

    def close(self) -> None:
        """Forget all."""
        if self._file is not None:
            self._file.close()

"""What the server shows to clients that speak TLS."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

#: Addresses that stand for all of a machine's.
EVERY_ADDRESS = ('0.0.0.0', '::')  # noqa: S104


@dataclass(frozen=True)
class Certificate:
    """A certificate for `SimulatorServer` to show.

    :param file: the server's certificate, followed by those that connect it to an authority,
        in PEM form.
    :param key_file: its private key, in PEM form and without a password.
    """

    file: str | os.PathLike[str]
    key_file: str | os.PathLike[str]

    def read(self) -> tuple[bytes, bytes]:
        """Returns the contents of both files.

        :raises OSError: one of them cannot be read.
        """
        return Path(self.file).read_bytes(), Path(self.key_file).read_bytes()


def host_names(host: str) -> list[str]:
    """Returns the names by which clients reach a server that listens on `host`."""
    names = ['localhost', '127.0.0.1', '::1']
    if host in EVERY_ADDRESS:
        names.append(socket.gethostname())
    elif host not in names:
        names.append(host)
    return names

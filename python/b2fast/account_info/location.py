"""Where the file with the account data is: the rules of b2sdk, so that both find the same."""

from __future__ import annotations

import os
import re
import sys

from ..exception import LocalFileError

B2_ACCOUNT_INFO_ENV_VAR = 'B2_ACCOUNT_INFO'
"""The environment variable that names the file."""
B2_ACCOUNT_INFO_DEFAULT_FILE = os.path.join('~', '.b2_account_info')
"""The file in the home directory, used if it is there or if there is no other place."""
B2_ACCOUNT_INFO_PROFILE_FILE = os.path.join('~', '.b2db-{profile}.sqlite')
"""The file of a profile where there is no configuration directory."""
XDG_CONFIG_HOME_ENV_VAR = 'XDG_CONFIG_HOME'
"""The environment variable that names the configuration directory."""

_PROFILE_NAME = re.compile(r'[a-zA-Z0-9_\-]{1,64}')


def account_info_path(file_name: str | os.PathLike[str] | None, profile: str | None) -> str:
    """The file for these arguments and the environment as it is now, ``~`` resolved.

    If the file belongs into the subdirectory ``b2`` of the configuration directory, the
    subdirectory is made.

    :param file_name: the file, if the caller knows it.
    :param profile: the name of one of several accounts.
    :raises ValueError: if the profile's name is none, or if the caller or the environment names a
        file as well.
    :raises LocalFileError: if the directory cannot be made.
    """
    # As in b2sdk it is the beginning of the name that has to match.
    if profile and not _PROFILE_NAME.match(profile):
        raise ValueError(f'Invalid profile name: {profile}')
    if file_name:
        if profile:
            raise ValueError('Provide either file_name or profile, not both')
        return os.path.expanduser(os.fspath(file_name))
    if B2_ACCOUNT_INFO_ENV_VAR in os.environ:
        if profile:
            raise ValueError(
                f'Provide either {B2_ACCOUNT_INFO_ENV_VAR} env var or profile, not both'
            )
        return os.path.expanduser(os.environ[B2_ACCOUNT_INFO_ENV_VAR])
    default = os.path.expanduser(B2_ACCOUNT_INFO_DEFAULT_FILE)
    if not profile and os.path.exists(default):
        return default
    config = _config_directory()
    if config is not None:
        # b2sdk does not find the profile's file in the home directory either, since it looks
        # for it without resolving the `~`.
        directory = os.path.expanduser(os.path.join(config, 'b2'))
        _make_directory(directory)
        return os.path.join(directory, f'db-{profile}.sqlite' if profile else 'account_info')
    if profile:
        return os.path.expanduser(B2_ACCOUNT_INFO_PROFILE_FILE.format(profile=profile))
    return default


def _config_directory() -> str | None:
    # https://specifications.freedesktop.org/basedir-spec: an empty variable counts as unset.
    directory = os.environ.get(XDG_CONFIG_HOME_ENV_VAR)
    if directory:
        return directory
    if sys.platform in ('win32', 'darwin'):
        return None
    return os.path.expanduser(os.path.join('~', '.config'))


def _make_directory(path: str) -> None:
    try:
        # The mode that the specification asks for.
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise LocalFileError(path, error.errno, error.strerror or str(error)) from error

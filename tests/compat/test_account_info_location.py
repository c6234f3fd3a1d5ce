"""Both libraries look for the file with the account data at the same place."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from b2sdk import v3 as theirs
from hypothesis import example, given, settings, strategies as st

import b2fast as ours

from .outcomes import outcome

VARIABLES = ('HOME', 'B2_ACCOUNT_INFO', 'XDG_CONFIG_HOME')

PROFILES = st.one_of(
    st.none(),
    st.sampled_from(['', 'work', 'a-b_C9', 'x' * 64, 'x' * 65, 'a.b', '.b', 'a b', 'ä', ' ', '-']),
    st.text(max_size=5).filter(lambda text: '\0' not in text),
)
FILE_NAMES = st.sampled_from([None, '', 'file', '~/file', '/tmp/file', '~nobody-at-all/x', 'a/~/b'])
FILES = st.sampled_from([None, '', '~/from environment', '/tmp/x', 'relative'])
CONFIGS = st.sampled_from([None, '', '{home}/config', '{home}/deep/config', '~/tilde', 'relative'])
EXISTING = st.sets(
    st.sampled_from(['.b2_account_info', '.b2db-work.sqlite', '.config/b2/account_info'])
)
PLATFORMS = st.sampled_from(['linux', 'darwin', 'win32', 'freebsd14'])


@settings(max_examples=500)
@given(FILE_NAMES, PROFILES, FILES, CONFIGS, EXISTING, PLATFORMS)
@example(None, 'work', None, None, {'.b2db-work.sqlite'}, 'linux')
@example(None, 'work', None, None, {'.b2db-work.sqlite'}, 'darwin')
@example(None, None, None, '{home}/config', {'.b2_account_info'}, 'linux')
@example(None, None, None, None, set(), 'win32')
def test_the_same_place(
    file_name: str | None,
    profile: str | None,
    file: str | None,
    config: str | None,
    existing: set[str],
    platform: str,
) -> None:
    def place(find: Callable[..., object]) -> object:
        """What is found, and which files and directories there are then."""
        with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ):
            home = Path(name, 'home')
            for path in existing:
                (home / path).parent.mkdir(parents=True, exist_ok=True)
                (home / path).touch()
            home.mkdir(exist_ok=True)
            values = (str(home), file, config and config.format(home=home))
            for variable, value in zip(VARIABLES, values, strict=True):
                os.environ.pop(variable, None)
                if value is not None:
                    os.environ[variable] = value
            before = os.getcwd()
            os.chdir(name)
            try:
                with mock.patch.object(sys, 'platform', platform):
                    found = outcome(lambda: find(file_name=file_name, profile=profile))
            finally:
                os.chdir(before)
            tree = sorted(str(path.relative_to(name)) for path in Path(name).rglob('*'))
            # b2sdk makes a directory named `~`, which it does not use.
            return str(found).replace(name, ''), None if config == '~/tilde' else tree

    expected = place(theirs.SqliteAccountInfo.get_user_account_info_path)
    assert place(ours.SqliteAccountInfo.get_user_account_info_path) == expected


def test_the_names_of_places() -> None:
    for name in (
        'B2_ACCOUNT_INFO_ENV_VAR',
        'B2_ACCOUNT_INFO_DEFAULT_FILE',
        'B2_ACCOUNT_INFO_PROFILE_FILE',
        'XDG_CONFIG_HOME_ENV_VAR',
    ):
        assert getattr(ours, name) == getattr(theirs, name)

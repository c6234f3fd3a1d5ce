"""b2fast in the place of b2sdk: what can be imported, and what cannot be used."""

from __future__ import annotations

import json
import os
import types
from pathlib import Path
from typing import Any

import b2sdk
import b2sdk.v2
import b2sdk.v2.exception
import b2sdk.v3
import b2sdk.v3.exception
import pytest

from b2fast.compat import MODULES

from ..snippets import snippets
from .shim import python, shimmed

# What the reference documentation of b2sdk lists.
INTERNAL_MODULES = [
    'account_info.sqlite_account_info',
    'b2http',
    'cache',
    'exception',
    'raw_api',
    'raw_simulator',
    'requests',
    'scan.exception',
    'scan.folder',
    'scan.folder_parser',
    'scan.path',
    'scan.policies',
    'scan.scan',
    'session',
    'stream.chained',
    'stream.hashing',
    'stream.progress',
    'stream.range',
    'stream.wrapper',
    'sync.action',
    'sync.encryption_provider',
    'sync.exception',
    'sync.policy',
    'sync.policy_manager',
    'sync.sync',
    'transfer.inbound.download_manager',
    'transfer.inbound.downloader.abstract',
    'transfer.inbound.downloader.parallel',
    'transfer.inbound.downloader.simple',
    'transfer.outbound.upload_source',
    'utils',
    'utils.escape',
    'utils.range_',
    'utils.typing',
]


def public_names(module: Any) -> list[str]:
    return [
        name
        for name in dir(module)
        if not name.startswith('_')
        and name not in ('annotations', 'v3BucketIdNotFound')
        and not isinstance(getattr(module, name), types.ModuleType)
    ]


@pytest.mark.parametrize(
    'module', [b2sdk.v2, b2sdk.v2.exception, b2sdk.v3, b2sdk.v3.exception], ids=lambda m: m.__name__
)
def test_every_name_can_be_imported(module: types.ModuleType) -> None:
    program = (
        'import importlib, json, sys\n'
        'module = importlib.import_module(sys.argv[1])\n'
        'names = json.loads(sys.argv[2])\n'
        'star = {}\n'
        "exec(f'from {sys.argv[1]} import *', star)\n"
        'there = {n for n in names if hasattr(module, n)}\n'
        'print(sorted({*names} - (there & {*dir(module)} & {*star})))'
    )
    names = public_names(module)
    assert len(names) > 80
    assert shimmed(program, module.__name__, json.dumps(names)) == '[]\n'


def test_nothing_of_b2sdk_is_loaded() -> None:
    program = (
        'import importlib, json, sys\n'
        'for name in json.loads(sys.argv[1]):\n'
        "    importlib.import_module('b2sdk._internal.' + name)\n"
        'import b2sdk, b2sdk.v2, b2sdk.v2.exception, b2sdk.v3.exception, b2sdk.version\n'
        'print(sorted(n for n, m in sys.modules.items()'
        " if (getattr(m, '__file__', None) or '').startswith(sys.argv[2])))"
    )
    directory = str(Path(b2sdk.__file__).parent)
    assert shimmed(program, json.dumps(INTERNAL_MODULES), directory) == '[]\n'


def test_b2sdk_need_not_be_installed() -> None:
    program = (
        'import sys\n'
        'class NotInstalled:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        "        if name.partition('.')[0] == 'b2sdk':\n"
        '            raise ModuleNotFoundError(name)\n'
        'sys.meta_path.insert(1, NotInstalled())\n'
        'import b2sdk.v2.exception, b2sdk.v3\n'
        'import b2sdk._internal.raw_simulator, b2sdk._internal.replication.setup'
    )
    shimmed(program)


def test_internal_modules_are_those_of_b2fast() -> None:
    program = (
        'import b2sdk._internal.exception, b2sdk._internal.utils.range_, b2fast.exception\n'
        'import b2sdk._internal.transfer.outbound.upload_source as ours, b2sdk._internal.utils\n'
        'from b2sdk._internal.raw_simulator import RawSimulator\n'
        'from b2sdk._internal.utils.escape import unprintable_to_hex\n'
        'from b2sdk._internal.scan.exception import InvalidArgument\n'
        'import b2fast.simulator, b2fast.transfer.outbound.upload_source as theirs, b2fast.utils\n'
        'print(b2sdk._internal.exception.B2Error is b2fast.exception.B2Error, ours is theirs,\n'
        '    RawSimulator is b2fast.RawSimulator, InvalidArgument is b2fast.InvalidArgument,\n'
        '    unprintable_to_hex is b2fast.unprintable_to_hex,\n'
        '    b2sdk._internal.utils.b2_url_encode is b2fast.utils.b2_url_encode)'
    )
    assert set(shimmed(program).split()) == {'True'}


def test_modules_of_b2fast_stay_as_they_are() -> None:
    program = (
        'import b2fast.scan.policies, b2fast.utils, b2fast.compat.v3\n'
        'before = {*dir(b2fast.scan), *dir(b2fast.utils)}\n'
        'import b2sdk.v3.exception, b2sdk._internal.scan.policies, b2sdk._internal.utils.typing\n'
        'print({*dir(b2fast.scan), *dir(b2fast.utils)} == before, b2fast.utils.__spec__.name)'
    )
    assert shimmed(program) == 'True b2fast.utils\n'


@pytest.mark.parametrize('target', sorted(set(MODULES.values())))
def test_named_modules_exist(target: str) -> None:
    __import__(target)


def test_missing_modules() -> None:
    program = (
        "for name in 'b2sdk.v1', 'b2sdk.v2.nothing', 'b2sdk._internal.nothing', 'b2sdk.v3.b.c':\n"
        '    try:\n'
        '        __import__(name)\n'
        '    except ModuleNotFoundError as error:\n'
        '        print(error.name)\n'
        'try:\n'
        '    from b2sdk.v3 import NoSuchName\n'
        'except ImportError as error:\n'
        "    print('NoSuchName' in str(error))"
    )
    assert shimmed(program).split() == [
        'b2sdk.v1',
        'b2sdk.v2.nothing',
        'b2sdk._internal.nothing',
        'b2sdk.v3.b',
        'True',
    ]


def test_version_is_that_of_the_interface() -> None:
    program = (
        'import importlib.metadata, b2sdk, b2sdk.version\n'
        "print(b2sdk.__version__, b2sdk.version.VERSION, importlib.metadata.version('b2sdk'))\n"
        'print(b2sdk.version.USER_AGENT)'
    )
    versions, user_agent = shimmed(program).splitlines()
    assert versions.split() == ['2.13.2'] * 3
    assert user_agent.startswith('b2fast/')


def test_second_call_does_nothing() -> None:
    program = (
        'import sys, b2sdk.v3\n'
        'before = list(sys.meta_path)\n'
        'install_as_b2sdk()\n'
        'print(sys.meta_path == before)'
    )
    assert shimmed(program) == 'True\n'


@pytest.mark.parametrize('module', ['b2sdk', 'b2sdk.v3'])
def test_refuses_when_b2sdk_is_imported(module: str) -> None:
    program = (
        f'import {module}\n'
        'from b2fast.compat import install_as_b2sdk\n'
        'from b2fast.exception import B2sdkAlreadyImported\n'
        'try:\n'
        '    install_as_b2sdk()\n'
        'except B2sdkAlreadyImported as error:\n'
        '    print(isinstance(error, ImportError), error)\n'
        'import b2sdk.v2\n'
        'print(b2sdk.v2.B2Api.__module__)'
    )
    refusal, name = python('-c', program).stdout.splitlines()
    assert refusal.startswith('True b2sdk is imported already')
    assert 'python -m b2fast.compat' in refusal
    assert name == 'b2sdk.v2.api'


@pytest.mark.parametrize('face', ['v2', 'v3'])
def test_account_data_are_in_a_file_by_default(face: str, tmp_path: Path) -> None:
    program = (
        f'from b2sdk.{face} import B2Api, B2HttpApiConfig, RawSimulator, SqliteAccountInfo\n'
        'api = B2Api(api_config=B2HttpApiConfig(_raw_api_class=RawSimulator))\n'
        'print(type(api.account_info) is SqliteAccountInfo, api.account_info.filename)'
    )
    file = tmp_path / 'account_info'
    env = {**os.environ, 'B2_ACCOUNT_INFO': str(file)}
    assert shimmed(program, env=env) == f'True {file}\n'
    assert file.exists()


@pytest.mark.parametrize('face', ['v2', 'v3'])
def test_programs_use_the_simulator_in_the_process(face: str) -> None:
    program = (
        f'from b2sdk.{face} import B2Api, B2HttpApiConfig, InMemoryAccountInfo, RawSimulator\n'
        'for raw in RawSimulator, lambda: RawSimulator(), lambda http: RawSimulator():\n'
        '    config = B2HttpApiConfig(_raw_api_class=raw)\n'
        '    api = B2Api(InMemoryAccountInfo(), api_config=config)\n'
        '    key_id, key = api.session.raw_api.create_account()\n'
        f'    first = ["production"] if {face == "v2"} else []\n'
        '    api.authorize_account(*first, key_id, key)\n'
        '    bucket = api.create_bucket("a-bucket", "allPrivate")\n'
        '    bucket.upload_bytes(b"hello", "x")\n'
        '    print([v.file_name for v, _ in bucket.ls()], type(bucket).__name__)'
    )
    assert shimmed(program) == "['x'] Bucket\n" * 3


def test_b2sdk_loggers_see_what_is_logged() -> None:
    program = (
        'import logging, sys\n'
        'from b2sdk.v3 import B2Api, B2HttpApiConfig, InMemoryAccountInfo, RawSimulator\n'
        'def authorize():\n'
        '    config = B2HttpApiConfig(_raw_api_class=RawSimulator)\n'
        '    api = B2Api(InMemoryAccountInfo(), api_config=config)\n'
        '    api.authorize_account(*api.session.raw_api.create_account())\n'
        'authorize()\n'
        'for name in "b2sdk", "b2fast":\n'
        '    print([type(h).__name__ for h in logging.getLogger(name).handlers])\n'
        'logger = logging.getLogger("b2sdk")\n'
        'logger.addHandler(logging.StreamHandler(sys.stdout))\n'
        'logger.setLevel("DEBUG")\n'
        'authorize()'
    )
    ours, theirs, *lines = shimmed(program).splitlines()
    assert ours == theirs == "['NullHandler']"
    assert 'authorized for account account-0' in lines


def test_the_documented_program_runs() -> None:
    (program,) = snippets('docs/compat.md', 'python')
    shown = python('-W', 'error', '-c', program + '\nprint(B2Api.__module__)').stdout
    assert shown == 'b2fast.compat.v2.api\n'


def test_b2fast_alone_imports_nothing_of_it() -> None:
    program = (
        'import sys, b2fast\n'
        'b2fast.B2Api, b2fast.RawSimulator\n'
        "print([name for name in sys.modules if 'compat' in name and 'b2fast' in name])"
    )
    assert python('-c', program).stdout == '[]\n'

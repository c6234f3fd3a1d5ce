"""What transfers leave behind in the process, and what becomes of them in a child process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from b2fast import Bucket

from ..conftest import Account
from .wire import run

pytestmark = pytest.mark.parametrize('account', ['http', 'http-streams'], indirect=True)

MOVE = """
import io, traceback

def move(name):
    # More than the first request of the engine, and a large file.
    data = name.encode() * 1_300_000
    bucket.upload(UploadSourceBytes(data), name, min_part_size=1_000_000)
    bucket.upload_bytes(name.encode(), 'small-' + name)
    for wanted, found in ((data, name), (name.encode(), 'small-' + name)):
        file = io.BytesIO()
        bucket.download_file_by_name(found).save(file)
        assert file.getvalue() == wanted
        bucket.download_file_by_name(found).save_to(args[0] + '/' + name)
        with open(args[0] + '/' + name, 'rb') as saved:
            assert saved.read() == wanted
"""

FORK = (
    MOVE
    + """
move('before')
child = os.fork()
if child == 0:
    try:
        move('child')
        grandchild = os.fork()
        if grandchild == 0:
            move('grandchild')
            os._exit(0)
        assert os.waitpid(grandchild, 0)[1] == 0
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
move('parent')
assert os.waitpid(child, 0)[1] == 0
move('after')
print('fine')
"""
)

FORK_IN_USE = (
    MOVE
    + """
# The parent's locks and connections are in use when it forks.
going = True

def keep_going(number):
    while going:
        move('thread-%d' % number)

threads = [threading.Thread(target=keep_going, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for number in range(4):
    child = os.fork()
    if child == 0:
        try:
            move('child-%d' % number)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
going = False
for thread in threads:
    thread.join()
print('fine')
"""
)

FORK_IN_IMPORT = """
import traceback

def move(name):
    # No public name is in it: nothing has imported it.
    import b2fast.bulk.engine_uploads
    (result,) = bucket.upload_many([(name.encode(), name)])
    assert result.error is None

# A thread stands still in its first import while the parent forks.
begun = threading.Event()

class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if threading.current_thread() is thread and not begun.is_set():
            begun.set()
            threading.Event().wait(0.3)

thread = threading.Thread(target=move, args=('thread',))
sys.meta_path.insert(0, Slow)
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    try:
        move('child')
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
assert os.waitpid(child, 0)[1] == 0
thread.join()
print('fine')
"""

POOL = (
    MOVE
    + """
import multiprocessing
move('before')
with multiprocessing.get_context('fork').Pool(3) as pool:
    pool.map(move, ['one', 'two', 'three', 'four', 'five'])
move('after')
print('fine')
"""
)


@pytest.mark.parametrize(
    'program',
    [FORK, FORK_IN_USE, FORK_IN_IMPORT, POOL],
    ids=['fork', 'in use', 'in import', 'pool'],
)
def test_fork(account: Account, bucket: Bucket, tmp_path: Path, program: str) -> None:
    assert run(account, program, [tmp_path]) == 'fine\n'
    if program == FORK:
        # One upload URL for each of the three processes, since none serves two uploads at once.
        assert account.server is not None
        assert account.server.calls['b2_get_upload_url'] == 3


WORKER = """
import io
import os

def move(bucket, name):
    # More than the first request of the engine, and a large file.
    data = name.encode() * 1_300_000
    bucket.upload(UploadSourceBytes(data), name, min_part_size=1_000_000)
    file = io.BytesIO()
    bucket.download_file_by_name(name).save(file)
    assert file.getvalue() == data
    return os.getpid(), bucket.upload_bytes(name.encode(), 'small-' + name), bucket.api.stats()

def miss(bucket):
    bucket.download_file_by_name('missing')

from b2fast import UploadSourceBytes
"""

EXECUTOR = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from b2fast.exception import FileNotPresent, MissingAccountData
sys.path.insert(0, args[0])
import worker

bucket.upload_bytes(b'before', 'before')
context = multiprocessing.get_context(args[1])
with ProcessPoolExecutor(2, mp_context=context) as pool:
    # The key stays here unless it is told to go.
    try:
        pool.submit(worker.move, bucket, 'name').result()
    except MissingAccountData:
        pass
    else:
        assert False
    api.account_info.pickle_secrets = True
    names = ['one', 'two', 'three', 'four']
    futures = [pool.submit(worker.move, bucket, name) for name in names]
    done = [future.result() for future in futures]
    for name, (pid, version, stats) in zip(names, done):
        assert pid != os.getpid()
        assert version.file_name == 'small-' + name
        assert version.get_fresh_state() == version
        # What a worker counts is its own.
        assert stats.calls['b2_upload_file'] == 1, stats
    try:
        pool.submit(worker.miss, bucket).result()
    except FileNotPresent as error:
        assert error.file_id_or_name == 'missing'
    else:
        assert False
total = sum((stats for _, _, stats in done), api.stats())
print(total.calls['b2_upload_file'], total.calls['b2_authorize_account'])
"""


@pytest.mark.parametrize('method', ['fork', 'forkserver', 'spawn'])
def test_a_bucket_is_an_argument_of_a_worker(
    account: Account, bucket: Bucket, tmp_path: Path, method: str
) -> None:
    (tmp_path / 'worker.py').write_text(WORKER)
    assert account.server is not None
    before = account.server.calls['b2_authorize_account']
    # The token travels as well, so that workers do not authorize.
    assert run(account, EXECUTOR, [tmp_path, method]) == '5 1\n'
    assert account.server.calls['b2_authorize_account'] == before + 1


FAIL = """
import gc, io, json
from b2fast.exception import B2Error

class Impatient(AbstractProgressListener):
    def set_total_bytes(self, total_byte_count):
        pass

    def bytes_completed(self, byte_count):
        raise B2Error('enough')

class Meddler(Impatient):
    def set_total_bytes(self, total_byte_count):
        os.utime(source)

    def bytes_completed(self, byte_count):
        pass

target = os.path.join(args[0], 'target')
source = os.path.join(args[0], 'source')
with open(source, 'wb') as file:
    file.write(bytes(3_000_000))

def fail(number):
    for attempt in (
        lambda: bucket.upload_local_file(source, 'changing', progress_listener=Meddler()),
        lambda: gone.upload_bytes(b'x', 'name'),
        lambda: bucket.upload_local_file(source, 'stopped', progress_listener=Impatient()),
        lambda: bucket.download_file_by_name('damaged').save_to(target),
        lambda: bucket.download_file_by_name('damaged').save(io.BytesIO()),
        lambda: bucket.download_file_by_name('fine', Impatient()).save_to(target),
        lambda: bucket.download_file_by_name('fine', Impatient()).save(io.BytesIO()),
        lambda: bucket.download_file_by_name('fine').save_to(args[0]),
        lambda: bucket.download_file_by_name('missing'),
    ):
        try:
            attempt()
        except B2Error:
            continue
        assert False, attempt

def in_use():
    gc.collect()
    return len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task'))

gone = api.create_bucket('gone-bucket', 'allPrivate')
api.delete_bucket(gone)
other = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
size = 5_000_000
for name, sha1 in (('fine', None), ('damaged', other)):
    bucket.upload(
        UploadSourceBytes(bytes(size)), name, min_part_size=1_000_000, large_file_sha1=sha1
    )
fail(0)
before = in_use()
for number in range(8):
    fail(number)
after = in_use()
print(json.dumps([before, after, sorted(os.listdir(args[0]))]))
"""


def test_failed_transfers_leave_nothing_open(
    account: Account, bucket: Bucket, tmp_path: Path
) -> None:
    before, after, left = json.loads(run(account, FAIL, [tmp_path]))
    # The pool keeps up to ten connections and as many threads, whatever was done; what leaks in
    # every round is more than these.
    assert after[0] <= before[0] + 10
    assert after[1] <= before[1] + 10
    # A listener that hears of a small file when it is complete cannot stop it any more.
    assert set(left) <= {'source', 'target'}

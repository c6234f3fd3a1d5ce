from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle

import pytest
from hypothesis import given, settings, strategies as st

from b2fast import exception
from b2fast.exception import B2Error, InvalidArgument, check_invalid_argument, interpret_b2_error

SAMPLES = {'exception_info_list': ['first', 'second'], 'range_': (3, 20), 'content': b'<html>'}
NUMBERS = {'clock_skew_seconds', 'content_length', 'size', 'max_allowed_size', 'limit'}
CLASSES = [
    cls
    for name in exception.__all__
    if inspect.isclass(cls := getattr(exception, name)) and issubclass(cls, B2Error)
]


def make(cls: type[B2Error]) -> B2Error:
    kinds = inspect.Parameter
    arguments = [
        SAMPLES.get(p.name, 7 if p.name in NUMBERS else f'<{p.name}>')
        for p in inspect.signature(cls).parameters.values()
        if p.kind is kinds.POSITIONAL_OR_KEYWORD
    ]
    takes_any = any(
        p.kind is kinds.VAR_POSITIONAL for p in inspect.signature(cls).parameters.values()
    )
    return cls(*arguments, *(['text'] if takes_any else []))


VALUES = st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text())


@st.composite
def errors(draw: st.DrawFn, cls: type[B2Error]) -> B2Error:
    """An error of the class, as it may be after it was raised, translated and noted."""
    error = make(cls)
    parameters = inspect.signature(cls).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        error = cls(*draw(st.lists(VALUES, max_size=3)))
    error.retry_after_seconds = draw(st.none() | st.integers(0, 1000))
    error.attempts = draw(st.none() | st.integers(1, 1000))
    for note in draw(st.lists(st.text(), max_size=2)):
        error.add_note(note)
    if isinstance(error, exception.MaxRetriesExceeded):
        error.exception_info_list = draw(st.lists(errors(exception.BadRequest), max_size=3))
    elif isinstance(error, OSError) and draw(st.booleans()):
        error.errno = draw(st.integers(1, 100))
        error.strerror = draw(st.text())
        error.filename = draw(st.text())
    return error


def told_by(error: BaseException) -> dict[str, object]:
    told = vars(error) | {'class': type(error), 'args': error.args}
    if not isinstance(error, exception.DestFileNewer):  # needs real paths for its text
        told['text'] = str(error)
    if isinstance(error, OSError):
        told |= {name: getattr(error, name) for name in ('errno', 'strerror', 'filename')}
    if isinstance(error, exception.MaxRetriesExceeded):
        told['exception_info_list'] = [told_by(one) for one in error.exception_info_list]
    return told


@pytest.mark.parametrize('cls', CLASSES, ids=lambda cls: cls.__name__)
@given(data=st.data(), protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
@settings(max_examples=6)
def test_survives_pickle_and_copy(cls: type[B2Error], data: st.DataObject, protocol: int) -> None:
    error = data.draw(errors(cls))
    told = told_by(error)
    assert told_by(pickle.loads(pickle.dumps(error, protocol))) == told  # noqa: S301
    assert told_by(copy.copy(error)) == told
    assert told_by(copy.deepcopy(error)) == told


def fail(error: B2Error) -> None:
    raise error


def test_is_raised_out_of_a_pool_of_processes() -> None:
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        for cls in CLASSES:
            error = make(cls)
            with pytest.raises(cls) as caught:
                pool.apply(fail, (error,))
            assert vars(caught.value) == vars(error)


@pytest.mark.parametrize('cls', CLASSES, ids=lambda cls: cls.__name__)
def test_says_whether_to_retry(cls: type[B2Error]) -> None:
    error = make(cls)
    assert isinstance(error.should_retry_http(), bool)
    assert isinstance(error.should_retry_upload(), bool)
    assert inspect.getdoc(cls)


@pytest.mark.parametrize(
    ('error', 'base'),
    [
        (exception.FileNotPresent('bucket', 'file'), FileNotFoundError),
        (exception.NonExistentBucket('bucket'), FileNotFoundError),
        (exception.BucketIdNotFound('id'), FileNotFoundError),
        (exception.AccessDenied(), PermissionError),
        (exception.Unauthorized('no', 'unauthorized'), PermissionError),
        (exception.B2RequestTimeout('late'), TimeoutError),
        (exception.RequestTimeout('408'), TimeoutError),
        (exception.B2ConnectionError('gone'), ConnectionError),
        (exception.ConnectionReset('gone'), ConnectionResetError),
        (exception.BrokenPipe('gone'), BrokenPipeError),
        (exception.DestinationIsADirectory('d'), IsADirectoryError),
        (exception.DestinationDirectoryDoesntExist('d'), FileNotFoundError),
        (exception.InvalidArgument('limit', 'is negative'), ValueError),
        (exception.CopyArgumentsMismatch('both'), ValueError),
    ],
)
def test_is_what_python_programs_expect(error: B2Error, base: type[Exception]) -> None:
    assert isinstance(error, base)


def test_two_arguments_are_no_errno() -> None:
    error = exception.DestinationIsADirectory('one', 'two')
    assert error.errno is None
    assert error.args == ('one', 'two')
    assert str(error) == "('one', 'two')"


def test_a_local_file_error_keeps_the_errno() -> None:
    error = exception.LocalFileError('/data/film', 28, 'No space left on device')
    assert (error.errno, error.filename) == (28, '/data/film')
    assert str(error) == '/data/film: No space left on device'


@pytest.mark.parametrize(
    ('code', 'message'),
    [
        ('auth_token_limit', 'more than one upload using auth token 4_00ab12_secret'),
        ('bad_request', 'more than one upload using auth token secret'),
        ('bad_request', 'Authorization token: 4_secret7 is odd'),
    ],
)
@pytest.mark.parametrize('status', [400, 401, 403, 408, 503])
def test_tokens_in_messages_are_removed(status: int, code: str, message: str) -> None:
    error = interpret_b2_error(status, code, message, {})
    assert 'secret' not in str(error)
    assert 'secret' not in repr(error)
    assert 'secret' not in repr(vars(error))


def test_a_token_in_use_is_not_kept() -> None:
    error = exception.UploadTokenUsedConcurrently('4_secret')
    assert 'secret' not in str(error) + repr(error) + repr(vars(error))
    assert error.should_retry_upload()


@pytest.mark.parametrize('status', [429, 500, 503])
@pytest.mark.parametrize(
    ('headers', 'seconds'),
    [
        ({'Retry-After': '7'}, 7),
        ({'retry-after': ' 12 '}, 12),
        ({'Retry-After': '0'}, 0),
        ({'Retry-After': '-3'}, None),
        ({'Retry-After': 'Wed, 21 Oct 2015 07:28:00 GMT'}, None),
        ({}, None),
    ],
)
def test_retry_after(status: int, headers: dict[str, str], seconds: int | None) -> None:
    assert interpret_b2_error(status, None, None, headers).retry_after_seconds == seconds


def test_unreadable_messages_of_the_service_do_not_crash() -> None:
    for code in ('auth_token_limit', 'source_too_large'):
        for message in (None, '', 'something else'):
            assert isinstance(interpret_b2_error(400, code, message, {}), B2Error)
    assert interpret_b2_error(400, 'source_too_large', 'Copy source too big: 77', {}).size == 77  # type: ignore[attr-defined]


def test_check_invalid_argument_names_the_parameter() -> None:
    with (
        pytest.raises(InvalidArgument, match=r'^depth must be a number$') as caught,
        check_invalid_argument('depth', 'must be a number', ValueError),
    ):
        int('x')
    assert isinstance(caught.value.__cause__, ValueError)


def test_check_invalid_argument_keeps_the_innermost_name() -> None:
    with (
        pytest.raises(InvalidArgument) as caught,
        check_invalid_argument('outer', 'is wrong', ValueError),
        check_invalid_argument('inner', 'is wrong', ValueError),
    ):
        int('x')
    assert caught.value.parameter_name == 'inner'


def test_check_invalid_argument_lets_others_pass() -> None:
    with pytest.raises(KeyError), check_invalid_argument('depth', 'is wrong', ValueError):
        {}['missing']

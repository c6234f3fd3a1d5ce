"""Decorators of old names, and calls that are logged."""

from __future__ import annotations

import abc
import logging
import warnings
from typing import Any

import pytest
from b2sdk import v3 as b2sdk
from b2sdk._internal import utils as their_utils

import b2fast
from b2fast import utils as our_utils

from .outcomes import value_or_error

SDKS = pytest.mark.parametrize('sdk', [b2fast, b2sdk], ids=['b2fast', 'b2sdk'])
VERSIONS: list[dict[str, Any]] = [
    {'changed_version': '0.1.0', 'cutoff_version': '0.2.0'},
    {'changed_version': '0.1.0'},
    {'changed_version': None},
    {'changed_version': '1!1.0', 'cutoff_version': '2.0', 'reason': 'w', 'current_version': '1'},
    {'changed_version': '1.10.0', 'cutoff_version': '1.9.0'},
    {'changed_version': '1.0', 'cutoff_version': '1.0'},
]


def said(call: Any) -> Any:
    """What a call returns, and the warnings that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        result = value_or_error(call)
    return result, [(one.category, str(one.message)) for one in caught]


@pytest.mark.parametrize('versions', VERSIONS)
def test_renamed_argument(versions: dict[str, Any]) -> None:
    def run(sdk: Any) -> Any:
        def decorate() -> Any:
            @sdk.rename_argument('old', 'new', **versions)
            def function(new: int, other: int = 2) -> tuple[int, int]:
                """The docstring."""
                return new, other

            return function

        function = value_or_error(decorate)
        if isinstance(function, str):
            return function
        assert function.__name__ == 'function'
        assert function.__doc__ == 'The docstring.'
        return [
            said(call)
            for call in (
                lambda: function(1),
                lambda: function(new=1),
                lambda: function(old=1),
                lambda: function(other=3, old=1),
                lambda: function(old=1, new=1),
                lambda: function(1, old=1),
            )
        ]

    assert run(b2fast) == run(b2sdk)


@SDKS
def test_argument_that_is_not_there(sdk: Any) -> None:
    decorator = sdk.rename_argument('old', 'new', '0.1.0', '0.2.0')
    assert value_or_error(lambda: decorator(lambda other: other)) == 'AssertionError'
    _, warned = said(lambda: decorator(lambda **anything: anything)(old=1))
    assert len(warned) == 1


@pytest.mark.parametrize('versions', VERSIONS)
@pytest.mark.parametrize('by_name', [True, False])
def test_renamed_function(versions: dict[str, Any], by_name: bool) -> None:
    def run(sdk: Any) -> Any:
        def new(number: int) -> int:
            return number**2

        def decorate() -> Any:
            @sdk.rename_function('new' if by_name else new, **versions)
            def old(number: int) -> int:
                return new(number)

            return old

        old = value_or_error(decorate)
        return old if isinstance(old, str) else (old.__name__, said(lambda: old(3)))

    assert run(b2fast) == run(b2sdk)


@SDKS
def test_what_a_decorator_knows(sdk: Any) -> None:
    decorator = sdk.rename_argument('old', 'new', '0.1', '0.2', reason='why', current_version='1!3')
    assert (decorator.source, decorator.target, decorator.reason) == ('old', 'new', 'why')
    assert str(decorator.changed_version) == '0.1'
    assert str(decorator.current_version) == '1!3'
    assert decorator.changed_version < decorator.cutoff_version
    assert decorator.WHAT == 'argument'


def test_the_warning_is_about_the_caller() -> None:
    @b2fast.rename_argument('old', 'new', '0.1.0', '0.2.0')
    def function(new: int) -> int:
        return new

    @b2fast.rename_function('new', '0.1.0', '0.2.0')
    def old() -> None:
        pass

    for call in (lambda: function(old=1), lambda: old()):
        with pytest.warns(DeprecationWarning, match=r'0\.2\.0') as caught:
            call()
        assert caught[0].filename == __file__


@SDKS
def test_preview_warning(sdk: Any) -> None:
    assert issubclass(sdk.FeaturePreviewWarning, FutureWarning)
    with pytest.warns(sdk.FeaturePreviewWarning, match='soon'):
        warnings.warn('soon', sdk.FeaturePreviewWarning, stacklevel=1)


class Records(logging.Handler):
    """Keeps the texts of records."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append((record.levelname, record.getMessage()))


def logged(work: Any, level: int = logging.DEBUG) -> Any:
    """The result of work with a logger, and what was logged to it."""
    logger = logging.getLogger(__name__)
    handler = Records()
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        return work(logger), handler.texts
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    'limits',
    [
        {},
        {'only': ('first',)},
        {'skip': ('first', 'kwargs')},
        {'only': ('first', 'second'), 'skip': ('second',)},
        {'only': ()},
    ],
    ids=str,
)
@pytest.mark.parametrize('level', [logging.DEBUG, logging.INFO])
def test_traced_function(limits: Any, level: int) -> None:
    def run(module: Any) -> Any:
        def work(logger: logging.Logger) -> Any:
            @module.trace_call(logger, **limits)
            def function(first: int, second: str = 'b', *, third: Any = None) -> Any:
                return first, second, third

            assert function.__name__ == 'function'
            return [
                value_or_error(call)
                for call in (
                    lambda: function(1),
                    lambda: function(1, 'x', third=[3]),
                    lambda: function(third=1, first=2),
                    lambda: function(),
                    lambda: function(1, wrong=2),
                )
            ]

        return logged(work, level)

    assert run(our_utils) == run(their_utils)


def test_traced_class() -> None:
    def run(module: Any) -> Any:
        def work(logger: logging.Logger) -> Any:
            @module.trace_call(logger)
            class Thing:
                def __init__(self, first: int, second: int = 2) -> None:
                    self.sum = first + second

            assert isinstance(Thing, type)
            return Thing(1).sum, Thing(1, second=5).sum

        return logged(work)

    assert run(our_utils) == run(their_utils)


@pytest.mark.parametrize('name', ['B2TraceMeta', 'B2TraceMetaAbstract'])
def test_traced_methods(name: str) -> None:
    def run(module: Any) -> Any:
        def work(logger: logging.Logger) -> Any:
            class Base(metaclass=getattr(module, name)):
                FIELD = 5

                def __repr__(self) -> str:
                    return 'it'

                def public(self, number: int, other: str = 'x') -> int:
                    return number

                def get_something(self) -> int:
                    return 1

                def _private(self) -> int:
                    return 2

                @module.limit_trace_arguments(only=['number'])
                def limited(self, number: int, other: int) -> int:
                    return number + other

                @module.limit_trace_arguments(skip=['number'])
                def skipping(self, number: int, other: int) -> int:
                    return number + other

                @module.disable_trace
                def silent(self) -> int:
                    return 3

                @property
                def attribute(self) -> int:
                    return 4

                @classmethod
                def of_class(cls, number: int) -> int:
                    return number

                @staticmethod
                def static(number: int) -> int:
                    return number

            class Derived(Base):
                def limited(self, number: int, other: int) -> int:
                    return super().limited(number, other) * 2

                # b2sdk joins them with those of the base class, which only sets can.
                @module.limit_trace_arguments(skip={'other'})
                def skipping(self, number: int, other: int) -> int:
                    return 0

                def silent(self) -> int:
                    return 6

            results = []
            for cls in (Base, Derived):
                thing = cls()
                results += [
                    thing.public(1),
                    thing.public(2, other='y'),
                    thing.get_something(),
                    thing._private(),
                    thing.limited(1, 2),
                    thing.skipping(1, 2),
                    thing.silent(),
                    thing.attribute,
                    thing.static(8),
                    cls.static(9),
                    thing.FIELD,
                ]
            # Their repr says where the class is.
            assert Base.of_class(7) == Derived.of_class(7) == 7
            return results

        results, texts = logged(work)
        return results, [text for text in texts if 'of_class' not in text[1]], len(texts)

    assert run(our_utils) == run(their_utils)


def test_traced_abstract_class() -> None:
    for module in (our_utils, their_utils):

        class Base(metaclass=module.B2TraceMetaAbstract):  # type: ignore[misc]
            @abc.abstractmethod
            def must(self) -> int:
                """To be overridden."""

        class Derived(Base):
            def must(self) -> int:
                return 1

        with pytest.raises(TypeError, match='must'):
            Base()
        assert logged(lambda _, cls=Derived: cls().must())[0] == 1
        assert issubclass(module.B2TraceMetaAbstract, abc.ABCMeta)


def test_keys_and_tokens_are_not_logged() -> None:
    def work(logger: logging.Logger) -> None:
        @b2fast.trace_call(logger)
        def call(
            application_key_id: str,
            application_key: str,
            upload_auth_token: str,
            customer_key: bytes = b'secret-2',
            name: str = 'shown',
        ) -> None:
            pass

        call('an-id', 'secret-3', 'secret-1')

    _, texts = logged(work)
    hidden = 'application_key, upload_auth_token, customer_key'
    ((level, text),) = texts
    assert level == 'DEBUG'
    assert 'secret' not in text
    assert "(application_key_id='an-id', name='shown')" in text
    assert text.endswith(f' (hidden args: {hidden})')


def test_a_class_keeps_its_own_arguments() -> None:
    class Base(metaclass=our_utils.B2TraceMeta):
        def __init_subclass__(cls, number: int) -> None:
            cls.number = number

    class Derived(Base, number=5):
        KIND = dict

    assert Derived.number == 5
    assert Derived.KIND is dict

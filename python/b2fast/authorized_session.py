"""Who a session is, and how its calls get the URL and the token that they need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from .account_info import AbstractAccountInfo, InMemoryAccountInfo
from .api_config import DEFAULT_HTTP_API_CONFIG, B2HttpApiConfig
from .b2http import B2Http
from .cache import AbstractCache, AuthInfoCache
from .cancel import check_scope
from .exception import InvalidAuthToken, MissingAccountData, Unauthorized
from .log import logger_of
from .raw_api import ALL_CAPABILITIES, REALM_URLS, AbstractRawApi, B2RawHTTPApi
from .reauthorization import Reauthorizer
from .retry import RETRIES_IN_THE_PROCESS, RetryPolicies, Timeouts
from .stats import CallCounter
from .types import ReadOnlyStream

if TYPE_CHECKING:
    from ._core.transfer import Engine
    from .account_info.sqlite import SqliteAccountInfo

logger = logger_of(__name__)

_P = ParamSpec('_P')
_T = TypeVar('_T')


class _DefaultAccountInfo(InMemoryAccountInfo):
    """What a session uses that is given no account data."""

    def _known(self, name: str, value: _T | None) -> _T:
        try:
            return super()._known(name, value)
        except MissingAccountData as error:
            error.hint = (
                'call authorize_account() first, or pass account_info=SqliteAccountInfo() to use '
                'the account that another program has stored'
            )
            raise


class _SqliteAccountInfoClass:
    """Stands for `SqliteAccountInfo`, whose module and ``sqlite3`` it imports when asked for."""

    def __get__(self, instance: object, owner: type | None = None) -> type[SqliteAccountInfo]:
        from .account_info.sqlite import SqliteAccountInfo

        return SqliteAccountInfo


class AuthorizedSession:
    """The part of `B2Session` that authorizes; see there."""

    B2HTTP_CLASS = B2Http
    SQLITE_ACCOUNT_INFO_CLASS: Any = _SqliteAccountInfoClass()

    def __init__(
        self,
        account_info: AbstractAccountInfo | None = None,
        cache: AbstractCache | None = None,
        api_config: B2HttpApiConfig = DEFAULT_HTTP_API_CONFIG,
    ) -> None:
        self.raw_api: AbstractRawApi = self._new_raw_api(api_config)
        self.account_info = account_info if account_info is not None else self._default()
        self.cache = cache if cache is not None else AuthInfoCache(self.account_info)
        self._api_config = api_config
        counter = self.raw_api.call_counter()
        self._counts_here = counter is None
        self.counter = counter if counter is not None else CallCounter()
        self.timeouts = api_config.timeouts or Timeouts()
        self._reauthorizer = self._new_reauthorizer()

    def _new_reauthorizer(self) -> Reauthorizer:
        return Reauthorizer(
            lambda: self.account_info.get_account_auth_token(), self._authorize_with_stored_key
        )

    def _default(self) -> AbstractAccountInfo:
        # Keys go to the disk only for those who say so: by an argument, or by a class of theirs.
        choice = inspect.getattr_static(self, 'SQLITE_ACCOUNT_INFO_CLASS')
        if isinstance(choice, _SqliteAccountInfoClass):
            return _DefaultAccountInfo()
        account_info: AbstractAccountInfo = self.SQLITE_ACCOUNT_INFO_CLASS()
        return account_info

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != '_reauthorizer'}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._reauthorizer = self._new_reauthorizer()

    def _new_raw_api(self, api_config: B2HttpApiConfig) -> AbstractRawApi:
        make: Callable[..., AbstractRawApi] = api_config.raw_api_class
        return make(self.B2HTTP_CLASS(api_config)) if _takes_an_argument(make) else make()

    @property
    def retry_policies(self) -> RetryPolicies:
        """When to try again, by the kind of call."""
        if isinstance(self.raw_api, B2RawHTTPApi):
            return self.raw_api.b2_http.retry_policies
        return self._api_config.retry_policies or RETRIES_IN_THE_PROCESS

    def transfer_engine(self, connections: int) -> Engine | None:
        """The engine that moves content, or None if it goes through Python streams.

        The raw API decides (`AbstractRawApi.transfer_engine`), makes the engine at first use
        and shares it; a child process gets its own.

        :param connections: how many connections one transfer may use at a time
        """
        return self.raw_api.transfer_engine(connections)

    def authorize_automatically(self) -> bool:
        """Authorize with the key of the account data; False if there is none."""
        try:
            self._authorize_with_stored_key()
        except MissingAccountData:
            return False
        return True

    def _authorize_with_stored_key(self) -> None:
        self.authorize_account(
            self.account_info.get_realm(),
            self.account_info.get_application_key_id(),
            self.account_info.get_application_key(),
        )

    def authorize_account(self, realm: str, application_key_id: str, application_key: str) -> None:
        """Exchange a key for a token and keep what the service answers.

        :param realm: a name from `REALM_URLS` or the base URL of the service.
        :raises Unauthorized: if the key is wrong.
        """
        realm_url = REALM_URLS.get(realm, realm).rstrip('/')
        answer = self._made(
            'b2_authorize_account',
            lambda: self.raw_api.authorize_account(realm_url, application_key_id, application_key),
        )
        account_id = answer['accountId']
        storage = answer['apiInfo']['storageApi']
        if not self.account_info.is_same_account(account_id, realm):
            self.cache.clear()
        self.account_info.set_auth_data(
            account_id=account_id,
            auth_token=answer['authorizationToken'],
            api_url=storage['apiUrl'],
            download_url=storage['downloadUrl'],
            absolute_minimum_part_size=storage['absoluteMinimumPartSize'],
            recommended_part_size=storage['recommendedPartSize'],
            application_key=application_key,
            realm=realm,
            s3_api_url=storage['s3ApiUrl'],
            allowed=self._allowed_in(storage),
            application_key_id=application_key_id,
        )
        logger.debug('authorized for account %s', account_id)

    def _allowed_in(self, storage: dict[str, Any]) -> dict[str, Any]:
        """What the key is allowed to do, from the answer to an authorization."""
        allowed: dict[str, Any] = storage['allowed']
        return allowed

    def authorize_again(self, failed_token: str | None) -> str:
        """Give a token that is newer than the one that failed.

        However many threads ask at once, one of them authorizes and the others wait for it.

        :param failed_token: the token that the service refused; None for the current token.
        :raises B2Error: if the authorization fails, in every thread that waited for it.
        """
        return self._reauthorizer.token_newer_than(failed_token)

    def _call(
        self,
        raw_call: Callable[Concatenate[str, str, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Make a call that wants the API's URL and the token first."""
        name = getattr(raw_call, '__name__', '').removesuffix('_by_id')
        return self._with_token(
            lambda token: raw_call(self.account_info.get_api_url(), token, *args, **kwargs),
            f'b2_{name}',
        )

    def _with_token(self, call: Callable[[str], _T], name: str | None) -> _T:
        """Make a call with the token; if the token has expired, once more with a newer one.

        :param name: what it is called in the native API.
        """
        # The URL is asked for before the token, as in b2sdk: who never authorized is told so
        # by the same MissingAccountData.
        self.account_info.get_api_url()
        token = self.account_info.get_account_auth_token()
        try:
            return self._made(name, lambda: call(token))
        except Unauthorized as error:
            if not _may_have_expired(error):
                raise self._with_restrictions(error) from None
        newer = self.authorize_again(token)
        try:
            return self._made(name, lambda: call(newer))
        except InvalidAuthToken:
            raise
        except Unauthorized as error:
            raise self._with_restrictions(error) from None

    def _made(self, name: str | None, call: Callable[[], _T]) -> _T:
        """Make a call, and count it if the raw API does not."""
        check_scope()
        if not self._counts_here:
            return call()
        self.counter.requested(name)
        answer = call()
        self.counter.answered(name, answer)
        return answer

    def _upload(
        self,
        name: str,
        take: Callable[[], tuple[str | None, str | None]],
        ask: Callable[[], dict[str, Any]],
        put: Callable[[str, str], None],
        clear: Callable[[], None],
        send: Callable[[str, str], _T],
        stream: ReadOnlyStream,
    ) -> _T:
        """Upload with a spare URL or a fresh one, which becomes a spare one if all goes well.

        :param name: of the call.
        :param take: takes a spare URL and its token.
        :param ask: asks the service for a fresh one.
        :param put: keeps a URL that worked.
        :param clear: forgets all spare URLs.
        :param send: uploads.
        :param stream: what is uploaded, to be rewound for a second attempt.
        """
        start = _position_of(stream)
        url, token = take()
        if url is not None and token is not None:
            try:
                result = self._made(name, lambda: send(url, token))
            except InvalidAuthToken:
                # URLs that were made together expire together.
                clear()
                if start is None:
                    raise
                stream.seek(start)  # type: ignore[attr-defined]
            except Unauthorized as error:
                raise self._with_restrictions(error) from None
            else:
                put(url, token)
                return result
        answer = ask()
        fresh_url, fresh_token = str(answer['uploadUrl']), str(answer['authorizationToken'])
        try:
            result = self._made(name, lambda: send(fresh_url, fresh_token))
        except InvalidAuthToken:
            raise
        except Unauthorized as error:
            raise self._with_restrictions(error) from None
        put(fresh_url, fresh_token)
        return result

    def _with_restrictions(self, error: Unauthorized) -> Unauthorized:
        """The same error, saying what the application key is restricted to."""
        allowed = self.account_info.get_allowed()
        said = []
        if set(allowed['capabilities']) != set(ALL_CAPABILITIES):
            said.append("with capabilities '{}'".format(','.join(allowed['capabilities'])))
        said += self._bucket_restriction(allowed)
        if allowed['namePrefix'] is not None:
            said.append(f"restricted to files that start with '{allowed['namePrefix']}'")
        restrictions = ', '.join(said) or 'with no restrictions'
        message = f'{error.message or "unauthorized"} for application key {restrictions}'
        return type(error)(message, error.code)

    def _bucket_restriction(self, allowed: dict[str, Any]) -> list[str]:
        """Which buckets the application key is restricted to, in words; empty if to none."""
        if not allowed['buckets']:
            return []
        return [f'restricted to buckets {[b["name"] for b in allowed["buckets"]]}']


def _may_have_expired(error: Unauthorized) -> bool:
    """Says the service that the token is of no use, or, as for HEAD, nothing at all?"""
    return isinstance(error, InvalidAuthToken) or not error.code


def _position_of(stream: Any) -> int | None:
    try:
        return int(stream.tell())
    except (AttributeError, OSError):
        return None


def _takes_an_argument(call: Callable[..., object]) -> bool:
    try:
        signature = inspect.signature(call)
    except ValueError:
        # Some callables written in C have no signature; they get what b2sdk gives to all.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True

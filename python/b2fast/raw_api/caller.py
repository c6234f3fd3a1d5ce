"""How a call of the native API is made over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .abstract import AbstractRawApi
from .constants import API_VERSION

if TYPE_CHECKING:
    from .._core.transfer import Engine
    from ..b2http import B2Http
    from ..stats import CallCounter


class HttpCaller(AbstractRawApi):
    """What all calls over HTTP have in common.

    :param b2_http: what sends the requests and repeats the failed ones.
    """

    API_VERSION = API_VERSION

    def __init__(self, b2_http: B2Http) -> None:
        self.b2_http = b2_http

    def transfer_engine(self, connections: int) -> Engine | None:
        """The engine of the HTTP layer; see `B2Http.transfer_engine`."""
        return self.b2_http.transfer_engine(connections)

    def call_counter(self) -> CallCounter:
        """The counter of the HTTP layer."""
        return self.b2_http.counter

    def _post_json(self, base_url: str, endpoint: str, auth: str, **params: Any) -> dict[str, Any]:
        """Make a call of the native API."""
        url = f'{base_url}/b2api/{self.API_VERSION}/{endpoint}'
        answer = self.b2_http.post_json_return_json(url, {'Authorization': auth}, params)
        return cast('dict[str, Any]', answer)

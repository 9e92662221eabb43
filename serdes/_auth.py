"""Who the client says it is: basic credentials, or a bearer token from one of four sources.

Owns headers and the life of tokens, as flows; refuses to know sockets.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from serdes._effects import Effect, Invoke, Send, Share
from serdes._requests import Request, read_answer, retry_after_seconds
from serdes.errors import AnswerMalformed, AuthError, RegistryFailed
from serdes.settings import ClientSettings

# Of its life: a call that is under way should not see its token end.
_REFRESH_AT = 0.8
_AZURE_ENDPOINT = "http://169.254.169.254/metadata/identity/oauth2/token"

Headers = dict[str, str]
HeaderFlow = Generator[Effect, Any, Headers]


class Credentials:
    """Makes the headers of a call."""

    def __init__(self, settings: ClientSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._token = ""
        self._refresh_at = 0.0

    def headers(self) -> HeaderFlow:
        """The headers that say who is asking.

        Raises AuthError when no token can be got.
        """
        settings = self._settings
        match settings.bearer_source:
            case None:
                return {} if settings.credentials is None else {"Authorization": _basic(*settings.credentials)}
            case "STATIC_TOKEN":
                return self._bearer(settings.bearer_token or "")
            case "CUSTOM":
                return _custom((yield Invoke(settings.bearer_function, settings.bearer_config)))
        if self._clock() >= self._refresh_at:
            # Once for all calls that find it old at the same time.
            yield Share("token", self._fetch)
        return self._bearer(self._token)

    def _bearer(self, token: str) -> Headers:
        headers = {"Authorization": f"Bearer {token}"}
        if self._settings.bearer_logical_cluster is not None:
            headers["target-sr-cluster"] = self._settings.bearer_logical_cluster
        if self._settings.bearer_identity_pool is not None:
            headers["Confluent-Identity-Pool-Id"] = self._settings.bearer_identity_pool
        return headers

    def _fetch(self) -> Generator[Effect, Any, None]:
        settings = self._settings
        # Apart from its query, which no message shows: it may have secrets in it.
        endpoint, _, query = (settings.bearer_endpoint or _AZURE_ENDPOINT).partition("?")
        request, headers = _token_request(settings, tuple(parse_qsl(query, keep_blank_values=True)))
        answer = yield Send(endpoint, request, headers, settings.timeout_seconds or settings.deadline_seconds)
        # Its body is not shown: whoever gives out tokens may repeat what was sent.
        if answer.retriable:
            seconds = retry_after_seconds(answer.headers)
            raise RegistryFailed(f"{endpoint} gives out no token", answer.status, -1, seconds)
        if not 200 <= answer.status < 300:
            raise AuthError(answer.status, -1, f"{endpoint} gives out no token")
        try:
            self._token, lasts_seconds = read_answer(request, answer)
        except AnswerMalformed as error:
            raise AuthError(answer.status, -1, f"{endpoint} gives out no token that can be read") from error
        # Without a life of its own (0) a token is asked for with each call.
        self._refresh_at = self._clock() + lasts_seconds * _REFRESH_AT


def _token_request(
    settings: ClientSettings, query: tuple[tuple[str, str], ...]
) -> tuple[Request[tuple[str, float]], Headers]:
    if settings.bearer_source == "OAUTHBEARER_AZURE_IMDS":
        query += tuple(parse_qsl(settings.bearer_endpoint_query or "", keep_blank_values=True))
        return Request("GET", "", _read_token, query, operation="token"), {"Metadata": "true"}
    form = {"grant_type": "client_credentials", "scope": settings.bearer_scope or ""}
    headers = {"Authorization": _basic(settings.bearer_client_id or "", settings.bearer_client_secret or "")}
    return Request("POST", "", _read_token, query, form=form, operation="token"), headers


def _read_token(told: Any) -> tuple[str, float]:
    return str(told["access_token"]), float(told.get("expires_in", 0))


def _custom(fields: Mapping[str, Any]) -> Headers:
    try:
        headers = {"Authorization": f"Bearer {fields['bearer.auth.token']}"}
        headers["target-sr-cluster"] = str(fields["bearer.auth.logical.cluster"])
    except (KeyError, TypeError) as error:
        raise AuthError(0, -1, f"bearer.auth.custom.provider.function did not return {error}") from error
    if "bearer.auth.identity.pool.id" in fields:
        headers["Confluent-Identity-Pool-Id"] = str(fields["bearer.auth.identity.pool.id"])
    return headers


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

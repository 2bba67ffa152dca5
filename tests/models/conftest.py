"""No test of a model may ask the network, whatever the library would make of the refusal."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True, scope="module")
def _no_network() -> Iterator[None]:
    attempts: list[Any] = []

    def refuse(*where: Any, **_: Any) -> NoReturn:
        attempts.append(where)
        raise OSError("the tests of models run without a network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
    assert attempts == []

"""A service that runs in a thread of the test's own process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import pytest

from titanic_ml import TitanicPipeline

pytest.importorskip("fastapi", reason="no FastAPI: make install-all")
pytest.importorskip("uvicorn", reason="no uvicorn: make install-all")

PASSENGER = {
    "PassengerId": 1,
    "Pclass": 3,
    "Name": "Braund, Mr. Owen Harris",
    "Sex": "male",
    "SibSp": 1,
    "Parch": 0,
    "Ticket": "A/5 21171",
    "Fare": 7.25,
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A running service, asked over one connection."""

    port: int
    app: Any
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        found = self.connection.getresponse()
        headers = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, headers, found.read())

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, what: Any, **headers: str) -> Answer:
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        return self.ask("POST", "/predict", body, **{"Content_Type": "application/json"} | headers)


@contextmanager
def running(app: Any) -> Iterator[Service]:
    import uvicorn

    from titanic_ml.service.protocol import LimitedProtocol

    config = uvicorn.Config(
        app, port=0, log_level="warning", access_log=False, http=LimitedProtocol
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        service = Service(server.servers[0].sockets[0].getsockname()[1], app)
        with closing(service.connection):
            yield service
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def start() -> Iterator[Callable[..., Service]]:
    """Start services for pipelines; they are stopped when the test ends."""
    from titanic_ml.service.app import create_app

    with ExitStack() as stack:
        yield lambda *given: stack.enter_context(running(create_app(*given)))


@pytest.fixture
def own_service(start, pipeline) -> Service:
    """A service of `pipeline`, for tests that change its store or look at its counts."""
    return start(pipeline, "champion", 0.05)


@pytest.fixture(scope="session")
def _shared_service(trained, quick) -> Iterator[Service]:
    from titanic_ml.service.app import create_app

    with running(create_app(TitanicPipeline(f"store.uri={trained}", *quick), "champion")) as found:
        yield found


@pytest.fixture
def service(_shared_service) -> Iterator[Service]:
    """The one service of all other tests, asked over a connection of the test's own."""
    mine = Service(_shared_service.port, _shared_service.app)
    with closing(mine.connection):
        yield mine


@pytest.fixture
def passenger() -> dict[str, Any]:
    """One of whom the age, the cabin and the port are not known."""
    return dict(PASSENGER)

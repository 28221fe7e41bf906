"""Connections of uvicorn's parser with a limit on what comes before and after a body.

The parser keeps names, values and the address until they are complete, however long that takes and however
many there are. Its other implementation, h11, has a limit of its own (16 KiB of what is incomplete).
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.errors.http_errors import HeadTooLargeError
from api.errors.problems import MEDIA_TYPE, problem_of
from api.middleware.proxies import PEER
from api.responses import ProblemResponse

MAX_HEAD_BYTES = 64 * 1024
_LINGER_S = 1.0


class BoundedConnection(HttpToolsProtocol):
    """A connection whose requests have at most `MAX_HEAD_BYTES` of address and headers, and of trailers.

    It notes in each request whom it is from, before anything is made of forwarded addresses.
    """

    _unfinished = 0
    """Bytes that came since the request began, or since something of its body did."""

    _head = 0
    """Bytes of the address and the headers of the request, trailers included."""

    _is_refused = False

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse a head that is too long, complete or not, and close."""
        if self._is_refused:
            return
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD_BYTES:
            self._refuse()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._unfinished = self._head = 0
        self.scope[PEER] = (self.client, self.scheme)  # type: ignore[literal-required]

    def on_url(self, url: bytes) -> None:
        """Count a part of the address."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer."""
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_body(self, body: bytes) -> None:
        """Hand on; bodies have limits of their own."""
        super().on_body(body)
        self._unfinished = 0

    def on_message_complete(self) -> None:
        """Hand on; what comes next is another request."""
        super().on_message_complete()
        self._unfinished = 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or what was refused while it was parsed."""
        if self._is_refused:
            self._answer()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD_BYTES:
            self._is_refused = True
            raise HeadTooLargeError(MAX_HEAD_BYTES)  # which ends the parsing

    def _refuse(self) -> None:
        if not self._is_refused:
            self._is_refused = True
            self._answer()

    def _answer(self) -> None:
        """Send the problem, unless an answer is under way already, and close; what still comes is dropped."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_started or cycle.response_complete:
            problem = problem_of(HeadTooLargeError(MAX_HEAD_BYTES))
            body = bytes(ProblemResponse(problem.document(), problem.status).body)
            head = (
                f"HTTP/1.1 {problem.status} Request Header Fields Too Large\r\ncontent-type: {MEDIA_TYPE}\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        # Closed with bytes unread, the connection would be reset before the answer is read.
        self.loop.call_later(_LINGER_S, self.transport.close)


def bound_heads() -> None:
    """Make every connection that uvicorn's usual parser serves in this process a bounded one.

    By the class that it makes, since uvicorn has chosen that when it loads the application.
    """

    def made(_kind: type[HttpToolsProtocol], *_: Any, **__: Any) -> BoundedConnection:
        return object.__new__(BoundedConnection)

    HttpToolsProtocol.__new__ = made  # type: ignore[method-assign, assignment]

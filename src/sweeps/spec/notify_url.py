"""Address that is told when a sweep has ended."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, StringConstraints

from bot.notation import is_printable, quoted

MAX_URL_LENGTH = 2_000


def _url(text: str) -> str:
    """Return `text`; raises ValueError unless it is an https URL, or http to this machine itself."""
    if not is_printable(text) or " " in text:
        raise ValueError(f"{quoted(text)} is no URL: it holds spaces or characters that cannot be printed")
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - raises for a port that is none
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no URL: {error}") from None
    if not url.hostname or url.scheme not in {"http", "https"}:
        raise ValueError(f"{quoted(text)} is no URL of the form https://host/path")
    if url.username is not None or url.password is not None:
        raise ValueError("holds a user or a password; the receiver checks the signature instead")
    if url.scheme == "http" and not _is_this_machine(url):
        raise ValueError(f"{quoted(text)} must begin with https:// (http is for this machine's own loopback)")
    return text


def _is_this_machine(url: SplitResult) -> bool:
    if url.hostname == "localhost":
        return True
    try:
        return ip_address(url.hostname or "").is_loopback
    except ValueError:  # the name of a host
        return False


NotifyUrl = Annotated[str, StringConstraints(max_length=MAX_URL_LENGTH), AfterValidator(_url)]

"""Answers about the hedges that held markets make up."""

from pydantic import BaseModel


class LegMarket(BaseModel):
    """Market that can be a leg, under its unified symbol."""

    exchange: str
    symbol: str


class LegChoice(LegMarket):
    """Market of a leg, the days from and to which it is held, and the kinds recorded beside it.

    `lacks` says what is not held of it, empty where nothing is missing.
    """

    first: str | None
    last: str | None
    lacks: str
    records: list[str]


class HedgeChoice(BaseModel):
    """Name of a hedge and its legs, the long one first; the days are those on which both are held.

    `lacks` says why it cannot be replayed, empty where it can; a name that is refused has no legs.
    """

    name: str
    first: str | None
    last: str | None
    lacks: str
    legs: list[LegChoice]


class HedgeChoices(BaseModel):
    """Hedges of a structure on the exchanges of its legs, and the markets of all exchanges for full names."""

    structure: str
    exchange: str
    hedges: list[HedgeChoice]
    long_markets: list[LegMarket]
    short_markets: list[LegMarket]

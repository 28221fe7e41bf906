"""Track record of one run's daily returns, trial by trial and draw by draw in plain Python."""

import hashlib
import math
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

MASK = 2**64 - 1
DRAWS = 500
EPOCH = date(1970, 1, 1)
UNDEFINED: dict[str, float | None] = dict.fromkeys(("psr", "t_eff", "skewness", "kurtosis"))


def track_record(first_day: int, returns: Sequence[float] | None) -> dict[str, float | None]:
    """Return psr, t_eff, skewness, raw kurtosis; `first_day` counts from 1970, None is no returns."""
    if returns is None or not any(returns) or len(returns) < 26 * 7:
        return UNDEFINED
    weeks = len(returns) // 7
    n, skipped = weeks * 7, len(returns) % 7
    whole = whole_numbers(returns)[skipped:]
    mean = Fraction(sum(whole), n)
    squares = sum((value - mean) ** 2 for value in whole)
    if not squares:
        return UNDEFINED
    deviation = math.sqrt(squares / (n - 1))
    sharpe = float(mean) / deviation
    spread = math.sqrt(squares / n)
    skewness = float(sum((value - mean) ** 3 for value in whole) / n) / spread**3
    kurtosis = float(sum((value - mean) ** 4 for value in whole) / n) / spread**4
    sums = [sum(whole[7 * week : 7 * week + 7]) for week in range(weeks)]
    tau = _tau(sums, EPOCH + timedelta(first_day + skipped), deviation)
    t_eff = min(n - 1, 1 / tau**2) if tau else n - 1
    square = 1 / t_eff + ((kurtosis - 1) / 4 * sharpe**2 - skewness * sharpe) / (n - 1)
    psr = 0.5 * math.erfc(-sharpe / math.sqrt(square) / math.sqrt(2)) if square > 0 else None
    return {"psr": psr, "t_eff": float(t_eff), "skewness": skewness, "kurtosis": kurtosis}


def whole_numbers(returns: Sequence[float]) -> list[int]:
    """Return returns as whole numbers of at most 20 bits."""
    _, power = math.frexp(max(map(abs, returns)))
    return [round(Fraction(value) * Fraction(2) ** (20 - power)) for value in returns]


def _tau(sums: Sequence[int], first: date, deviation: float) -> float:
    weeks, total = len(sums), sum(sums)
    block = math.isqrt(4 * weeks)
    drawn = _draws(f"luck/{first.isoformat()}/{weeks}", weeks, block)
    shifts = [weeks / (weeks - 2 * block) * (sum(sums[one] for one in row) - total) for row in drawn]
    return math.sqrt(math.fsum((shift / (7 * weeks) / deviation) ** 2 for shift in shifts) / DRAWS)


def _draws(text: str, weeks: int, block: int) -> list[list[int]]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    rows = []
    for draw in range(DRAWS):
        row: list[int] = []
        for place in range(weeks):
            random = _mixed(seed, draw * weeks + place)
            begins = place == 0 or (random % 2**32) * block < 2**32
            row.append((random >> 32) * weeks >> 32 if begins else (row[-1] + 1) % weeks)
        rows.append(row)
    return rows


def _mixed(seed: int, place: int) -> int:
    z = (seed + (place + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31

"""Killed and survived for each promise, as text and in docs/policy.md."""

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.campaigns.broken_products import PRODUCTS
from tests.campaigns.broken_products.model import ROOT, Outcome, Result
from tests.campaigns.broken_products.survivors import REASONS

PAGE = ROOT / "docs" / "policy.md"
BEGIN, END = "<!-- broken products: begin -->", "<!-- broken products: end -->"
COLUMNS = ("listed", "played", "own row", "other row", "no answer", "row green", "survived", "do not start")
PENDING = "Its row was green, and was changed since; not played again."
OF = (Outcome.KILLED, Outcome.ELSEWHERE, Outcome.UNKNOWN, Outcome.GREEN, Outcome.SURVIVED, Outcome.STILLBORN)


def _counts(results: Iterable[Result]) -> list[int]:
    counted = Counter(result.outcome for result in results)
    return [sum(counted.values()), *(counted[outcome] for outcome in OF)]


def table(results: Iterable[Result]) -> str:
    """A line for each promise and one for all, as Markdown."""
    by_promise: dict[str, list[Result]] = {}
    for result in results:
        by_promise.setdefault(result.promise, []).append(result)
    listed = Counter(product.promise for product in PRODUCTS.values())
    rows = [(promise, [listed[promise], *_counts(mine)]) for promise, mine in sorted(by_promise.items())]
    every = _counts(result for mine in by_promise.values() for result in mine)
    rows.append(("all", [sum(listed[promise] for promise in by_promise), *every]))
    head = f"| promise | {' | '.join(COLUMNS)} |\n|---|{'--:|' * len(COLUMNS)}\n"
    return head + "\n".join(f"| {name} | {' | '.join(map(str, counts))} |" for name, counts in rows)


def survivors(results: Iterable[Result]) -> list[str]:
    """A line for each product that the audit did not fail, with the reason."""
    left = [r for r in results if not r.outcome.caught and r.outcome is not Outcome.STILLBORN]
    return [f"* `{r.id}`: {PRODUCTS[r.id].breaks}. {REASONS.get(r.id, PENDING)}" for r in left]


def write_page(results: Mapping[str, Result]) -> None:
    """Replace what stands between the two marks. Raises ValueError where they are not."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE} has no place for the table")
    mine = [results[name] for name in PRODUCTS if name in results]
    left = survivors(mine)
    body = table(mine) + ("\n\nNot seen by the audit:\n\n" + "\n".join(left) if left else "")
    PAGE.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", "utf-8")

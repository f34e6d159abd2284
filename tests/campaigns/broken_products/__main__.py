"""`python -m tests.campaigns.broken_products [--row POL-NN] [--id ID] [--shard I/N] [--out FILE] [--again]`.

Each broken product is put together in a copy of the tree, started, and run through its own audit: first the checks of
its row (with `--rows-only` nothing more), then, if they are green, the whole quick audit. Results are JSON lines; what
FILE has of the same product is not run again. `--page` writes killed and survived for each row of FILE into
docs/policy.md. Exit 3 when a product survives, 1 when an edit no longer applies.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.campaigns.broken_products import PRODUCTS
from tests.campaigns.broken_products.model import Outcome, Product, Result
from tests.campaigns.broken_products.page import table, write_page
from tests.campaigns.broken_products.play import play


def known(out: Path) -> dict[str, Result]:
    """The last result of each product."""
    if not out.exists():
        return {}
    return {result.id: result for result in map(Result.parse, out.read_text("utf-8").splitlines())}


def chosen(options: argparse.Namespace) -> list[Product]:
    """Which to play, in the order of their ids."""
    part, parts = map(int, options.shard.split("/"))
    wanted = [
        product
        for product in PRODUCTS.values()
        if (not options.row or product.promise in options.row) and (not options.id or product.id in options.id)
    ]
    return wanted[part - 1 :: parts]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.broken_products", description=__doc__)
    parser.add_argument("--row", action="append", help="a promise; can be given again")
    parser.add_argument("--id", action="append", choices=tuple(PRODUCTS), metavar="ID")
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--out", type=Path, default=Path("broken-products.jsonl"))
    parser.add_argument("--again", action="store_true", help="also what FILE has")
    parser.add_argument("--rows-only", action="store_true", help="leave out the whole audit where a row stays green")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the table of --out into docs/policy.md")
    options = parser.parse_args(arguments)
    products = chosen(options)
    if options.list:
        for product in products:
            sys.stdout.write(f"{product.id:26}{product.operators:16}{' '.join(product.files)}: {product.breaks}\n")
        return 0
    results = known(options.out)
    if options.page:
        write_page(results)
        return 0
    for product in products:
        before = results.get(product.id)
        open_still = before and before.outcome is Outcome.GREEN and not options.rows_only
        if before and not options.again and not open_still and before.fingerprint == product.fingerprint():
            continue
        result = results[product.id] = play(product, whole=not options.rows_only)
        with options.out.open("a", encoding="utf-8") as file:
            file.write(result.to_line() + "\n")
        sys.stderr.write(f"{result.outcome.value:10}{result.id:26}{result.seconds:4} s  {', '.join(result.by)}\n")
    mine = [results[product.id] for product in products if product.id in results]
    sys.stdout.write(table(mine) + "\n")
    if any(result.outcome is Outcome.STALE for result in mine):
        return 1
    return 0 if all(result.outcome.caught or result.outcome is Outcome.STILLBORN for result in mine) else 3


if __name__ == "__main__":
    sys.exit(main())

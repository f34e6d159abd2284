"""`compare`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from bench.compare import Change, Rule, compare, read_result, refuse_other_data
from bench.console import show
from bioguard.exit_codes import ExitCode
from bioguard.report import Check, Report, Status, render

SHOWN = 200


@click.command("compare")
@click.argument("old", type=click.Path(exists=True, path_type=Path))
@click.argument("new", type=click.Path(exists=True, path_type=Path))
@click.option("--fail-on", "rules", multiple=True, metavar="RULE", help="eer:+0.2pp, p95:10%, per_second:-5%, name:=")
@click.option("--other-data", is_flag=True, help="The results may be of different data.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="One test case a rule.", metavar="FILE")
@click.option("--json", "as_json", is_flag=True)
def compare_command(
    old: Path, new: Path, rules: tuple[str, ...], other_data: bool, junit: Path | None, as_json: bool
) -> None:
    """List what changed from OLD to NEW; exit 3 if a rule is broken.

    \b
    Example:
      python -m bench compare bench/baselines/KIND/accuracy.json out/accuracy --fail-on eer:+0.2pp
    """
    parsed = [Rule.parse(rule) for rule in rules]
    before, after = read_result(old), read_result(new)
    if not other_data:
        refuse_other_data(before, after)
    changes, looked = compare(before, after, parsed)
    failing = [c for c in changes if c.broken]
    if junit is not None:
        junit.write_text(render(_report(parsed, changes), "junit"), encoding="utf-8")
    lines = [c.line() for c in sorted(changes, key=lambda c: not c.broken)[:SHOWN]]
    if len(changes) > SHOWN:
        lines.append(f"... and {len(changes) - SHOWN} more changes that break no rule")
    verdict = (
        f"{len(failing)} figures break a rule" if failing else f"no rule is broken; {len(changes)} figures changed"
    )
    data = {
        "command": "compare", "rules": looked, "changed": len(changes),
        "failures": [{"path": c.path, "old": c.old, "new": c.new, "rules": list(c.broken)} for c in failing],
    }  # fmt: skip
    show(data, [*lines, *looked, verdict], as_json=as_json)
    if failing:
        sys.exit(int(ExitCode.NO))


def _report(rules: list[Rule], changes: list[Change]) -> Report:
    checks = []
    for rule in rules:
        broken = [c for c in changes if rule.text in c.broken]
        checks.append(
            Check(
                id=f"BENCH.{rule.text}",
                title=f"no figure breaks {rule.text}",
                status=Status.FAIL if broken else Status.PASS,
                summary=f"{len(broken)} figures break it" if broken else "no figure breaks it",
                details=tuple(c.line() for c in broken),
            )
        )
    return Report(
        kind="bench", title="Comparison of two results", headline="", tool="bioguard bench",
        created=datetime.now(UTC).isoformat(timespec="seconds"), checks=tuple(checks),
    )  # fmt: skip

"""The campaign on the table of rules can be red and can be otherwise."""

from dataclasses import replace
from pathlib import Path

from tests.campaigns.rules import BROKEN, broken, copied, play
from tests.docs.named_code import rules


def test_the_first_statement_of_the_named_function_is_an_exception() -> None:
    source = 'class A:\n    def f(self):\n        """It is."""\n        return 1\n\n\ndef f():\n    return 2\n'
    assert broken(source, "A.f") == source.replace("        return 1", f"        {BROKEN}\n        return 1")
    assert broken(source, "f") == source.replace("    return 2", f"    {BROKEN}\n    return 2")
    assert broken(source, "A") is None


def test_a_rule_is_red_under_its_own_test_and_not_under_another(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    (rule,) = (rule for rule in rules() if rule.name == "PIN throttle")
    other = replace(rule, test="tee_sim/test_session.py::test_every_state_is_listed")
    assert (play(rule, copy), play(other, copy)) == ("red", "not reached")

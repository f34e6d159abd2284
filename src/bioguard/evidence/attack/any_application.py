"""Attacks on any trusted application: those of the simulator's own bench, as part of ours."""

from bioguard.evidence.attack.kit import Attack, Stage
from tee_sim.testing.attacks import bench

ATTACKS = tuple(Attack(a.name, a.title, a.source, a.play, stage=Stage.ANY) for a in bench.ATTACKS)

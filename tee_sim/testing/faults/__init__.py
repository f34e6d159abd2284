"""A disk and an RPMB that misbehave on purpose: the plan language, and the wrappers that carry it out.

plan = FaultPlan.parse("commit@3: lie; read: flip(40) objects")
blobs, rpmb = HostileBlobs(blobs, plan), HostileRpmb(rpmb, plan)
"""

from tee_sim.testing.faults.hostile import HostileBlobs, HostileDisk, HostileRpmb
from tee_sim.testing.faults.plan import Fault, FaultPlan

__all__ = ["Fault", "FaultPlan", "HostileBlobs", "HostileDisk", "HostileRpmb"]

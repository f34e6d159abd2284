"""tee_sim: a simulated trusted execution environment. A simulator, not a security boundary against the host's root."""

__version__ = "0.2.0"

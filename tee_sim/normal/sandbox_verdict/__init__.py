"""How far the secure world is locked, observed from outside and compared with what it reports."""

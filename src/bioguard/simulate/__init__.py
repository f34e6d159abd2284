"""Stand-ins for what a laptop lacks: a virtual HAL, scripted faults of a sensor, synthetic people."""

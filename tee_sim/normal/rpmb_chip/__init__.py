"""Replay-protected memory block: the frames, the device, its state file, and the secure world's side."""

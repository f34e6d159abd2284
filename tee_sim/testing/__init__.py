"""For tests and tools: the secure world in the caller's process, and faults of disk and messages. Protects nothing."""

"""Documents that a device signs and others verify offline: the audit log, the erasure receipt, the copy of a store."""

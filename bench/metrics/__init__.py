"""Error rates of biometric comparison, their intervals, and what follows from them (ISO/IEC 19795-1)."""

"""A virtual HAL: the session rules over the rules of the trusted applications, in the open, on a stepped clock."""

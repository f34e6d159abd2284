"""Why the audit does not see a broken product. Each one that survives the campaign has its reason here."""

REASONS: dict[str, str] = {}
"""By id."""

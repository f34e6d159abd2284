"""Programs that make the numbers the product ships: thresholds, projection. Run by hand; their output is committed."""

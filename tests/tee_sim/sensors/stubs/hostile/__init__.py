"""A sensor that does what the picture says."""

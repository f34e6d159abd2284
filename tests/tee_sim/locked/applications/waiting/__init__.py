"""A trusted application that waits."""

"""A trusted application that says what it means."""

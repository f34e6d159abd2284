"""A trusted application outside tee_sim: ordinary Python, and what ends an application."""

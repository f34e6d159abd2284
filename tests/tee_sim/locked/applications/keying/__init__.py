"""A trusted application that makes keys."""

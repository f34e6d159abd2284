"""Version 2 of the frame protocol: sessions and their callbacks as Android has them (docs/formats/serve-2.md)."""

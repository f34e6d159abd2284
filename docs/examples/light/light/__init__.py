"""A sensor that says how light a picture is, and an application that takes what it has read."""

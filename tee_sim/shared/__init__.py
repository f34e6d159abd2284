"""What both worlds load: records of the pipes and the disk, codec, limits, clocks, the interface of an application.

Promised: what is read here is exactly what is written here, byte for byte, and bounded before it is built.

Not promised: that a well-formed message is true or fresh. That is for the world that reads it.
"""

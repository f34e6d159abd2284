"""What both worlds load: records of the pipes and the disk, codec, limits, clocks, the interface of an application."""

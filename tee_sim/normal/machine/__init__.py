"""Keep a machine: fuses, the name of its boot, its store, and the secure world that is started over them."""

"""`python -m tee_sim.cli` is `tee-sim`."""

from tee_sim.cli.main import main

if __name__ == "__main__":
    main()

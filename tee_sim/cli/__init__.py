"""Offer `tee-sim`: make, check, run, ask and watch trusted applications of one's own, on machines of one's own."""

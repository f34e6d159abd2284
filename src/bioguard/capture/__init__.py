"""From a picture to features: pictures decoded within bounds, engines, and what is said of a picture that is too bad.

Runs in a sensor host, after its lock; in `bioguard capture` and in the benches. Needs the extra `capture`; nothing else
of the product imports this room at its top (docs/capture.md).
"""

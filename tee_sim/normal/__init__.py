"""The normal world's side: starts and inspects the secure world, keeps its sealed bytes, talks to it.

Sees no secret, and is believed by nobody in the secure world.
"""

"""Attacks that any trusted application must withstand, known only by its manifest.

They judge what no application may do: die of a message, give a key away, not come back after a restart or a power cut.
The applications run in this process, over a sealed store in memory: only give it code you would run.
"""

"""Command tables: for each trusted application its UUID, command ids, requests and closed replies.

The one place client and trusted application share. Requests may hold features; replies may not hold free bytes.
"""

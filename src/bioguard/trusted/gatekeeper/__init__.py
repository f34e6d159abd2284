"""The Gatekeeper trusted application: checks a PIN, throttles guesses, makes the token everything else hangs on.

Promised: an attempt is counted before it is compared, and the count survives restarts.

Not promised: that a short PIN is hard to guess for whoever has the fuses.
"""

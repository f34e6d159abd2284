"""The Gatekeeper trusted application: checks a PIN, throttles guesses, makes the token everything else hangs on."""

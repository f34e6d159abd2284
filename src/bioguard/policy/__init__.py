"""The promises of the policy: register, notice, incidents. Pure; the rules themselves run in `trusted.policy`."""

"""The trusted applications: the only code that sees features and templates in clear. Runs only in the secure world.

Promised: what each application enforces stands in its modules, and `docs/architecture.md` says where each rule is and
how much code is trusted. A refusal is an answer of a closed type and changes nothing; what happened is stored, and
logged where the policy wants a log, before it is answered.

Not promised: that the person at the sensor is alive; anything once the root key is known (docs/threat-model.md).
"""

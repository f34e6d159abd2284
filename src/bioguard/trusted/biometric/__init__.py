"""The biometric trusted application: enroll, match, erase.

Promised: templates and scores stay inside; every comparison is charged before it is made; a change of a record, its log
entry and its counts are one transaction.

Not promised: error rates beyond the founded points of the threshold tables; equal time for every answer.
"""

"""The biometric trusted application: enroll, match, erase."""

"""The trusted applications: the only code that sees features and templates in clear. Runs only in the secure world."""

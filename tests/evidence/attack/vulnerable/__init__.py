"""Deliberately vulnerable trusted applications, one bug each. For the tests of the bench only."""

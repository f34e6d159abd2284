"""Small trusted applications that show how to write one. Not part of any product."""

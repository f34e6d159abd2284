"""Measurements behind figures in docs/, each a program of its own; re-run to check a figure, not part of QA."""

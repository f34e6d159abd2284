"""The negative-test bench: known ways to steal tokens, played against trusted applications. See docs/attack.md."""

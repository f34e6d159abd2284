"""A device for programs in any language: canonical CBOR frames on standard input and output (docs/formats/serve.md)."""

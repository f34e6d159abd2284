"""What the methods of version 2 do, by name. Every method of `bioguard.serve.v2.table` is in one of the modules."""

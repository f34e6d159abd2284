"""What a caller waits for, measured by processes of their own: `python -P -m latency_probe PART ...`, JSON out.

`bench.commands.latency` runs these files with the code of two checkouts, so they use nothing that differs between them:
`bioguard.device`, the command line, and the synthetic people. Replies are not held on the release grid.

| part | does |
|---|---|
| `prepare DISK MEMORY` | makes in each folder a device with people, and in the first what commands read |
| `bundle DISK MEMORY` | makes in the first the bundle that is verified |
| `measure GROUP DISK MEMORY ROUNDS` | times one group of operations |
| `ask DEVICE FACE`, `cli FILE ARGUMENT...` | are run by `measure counts`: one operation, counted from inside |
| `idle DEVICE FACE` | is run by `measure memory`: an open device and nothing else |
| `grow FOLDER ROUNDS SIZE...` | fills one device to each size in turn and times it there, when told on stdin |

MEMORY is empty where the host has no file system in memory.
"""

"""Every size, count and time limit of the simulated TEE, with its unit and its reason."""

MAX_FRAME_BYTES = 1 << 20
"""One message on the pipe. 1 MiB holds a batch of about 500 stored objects of 2 KiB; larger frames buy nothing."""

MAX_PARAM_BYTES = 512 << 10
"""One memref parameter, in or out: half a frame, so that request and framing always fit. It is the least that
GlobalPlatform lets an implementation have (TEEC_CONFIG_SHAREDMEM_MAX_SIZE, TEE Client API 1.0, section 4.2.3): a client
that wants to run everywhere sends more in parts."""

MAX_ANSWER_BYTES = MAX_FRAME_BYTES - 256
"""All outputs of one operation together: a frame without its own numbers, which take under 100 bytes."""

MAX_DEPTH = 8
"""Nesting of any CBOR message. Our deepest record has 5 levels."""

MAX_SESSIONS = 16
"""Open sessions of the normal world at once, for all its clients; GlobalPlatform leaves it to the implementation. The
test suite of OP-TEE needs 3 of one application (xtest 1005; 1013 from as many threads)."""

MAX_PEER_SESSIONS = 16
"""Open sessions of one trusted application with others: one with each that can be hosted."""

MAX_PEER_CALLS = 1_000
"""Sessions opened and commands invoked by applications within one request of the normal world. Applications that open
sessions with each other whenever one is closed would otherwise go on for ever. The product's need one."""

MAX_TAS = 16
"""Trusted applications per secure world: as many as the hosts allow, with three spares each."""

MAX_PACKAGES = 4
"""Packages that the secure world measures whole at its start: reading one of 500 files takes about 10 ms."""

MAX_COMPILED_BYTES = 16 << 20
"""Trusted code in its compiled form, of all applications together: ours has less than a tenth of it."""

CACHE_MAC_BYTES = 32
"""What each file that a start keeps for the next ones begins with (docs/formats/storage.md section 8)."""

MAX_LISTING_BYTES = 512 << 10
"""Names and digests of their files: 4 000 files of a hundred bytes a line, and half a frame."""

MAX_MEASURED = 16
"""Packages and compiled files that are attested beside the applications, which a token has room for."""

MAX_HOSTS = 64
"""Processes of trusted applications and sensors, spares among them: MAX_TAS with 4 each. Each costs the core three
descriptors."""

MAX_SENSORS = 4
"""Sensors of one secure world."""

MAX_PICTURE_BYTES = 64 << 20
"""One picture for a sensor: 4096 by 4096 in color, not compressed, fits."""

MAX_SAMPLE_BYTES = 256 << 10
"""What a sensor makes of one picture: a quarter of a frame."""

MAX_CAPTURES = 32
"""Samples that the core keeps at once: as many as the longest session of touches takes, and again."""

CAPTURE_LIFE_MS = 60_000
"""How long it keeps one: an invocation's default deadline."""

BOOT_TIMEOUT_MS = 30_000
"""Interpreter start, third-party imports and warm-up on a loaded two-core machine; typical is 0.4 s."""

SENSORS_TIMEOUT_MS = 25_000
"""Until all sensors are made and locked. Less than the above: one that hangs is named, and a start without
it can follow."""

INVOKE_TIMEOUT_MS = 60_000
"""Default deadline of one invocation. An identify in 100 000 records with a cold index takes seconds."""

MAX_DEADLINE_MS = 1_000_000_000
"""Longest time that one request may be given, eleven days: poll counts milliseconds in 31 bits."""

MAX_WAIT_MS = 60_000
"""Longest wait that an application asks the normal world for at once: an invocation's default deadline."""

GRACE_TIMEOUT_MS = 500
"""From closing the request pipe to SIGKILL."""

MAX_OBJECTS = 10_000_000
"""The largest quota of objects that a manifest may name."""

MAX_BODY_BYTES = 768 << 10
"""One stored object must fit in one message to the disk, with its header and the pages on its path."""

U64_MAX = 0xFFFF_FFFF_FFFF_FFFF
"""The largest integer of a message, and of a field of 64 bits in any other format."""

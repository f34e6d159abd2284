"""Every command: where it is, and the first sentence of its help."""

from tee_sim.lazy_group import Table

COMMANDS: Table = {
    "accuracy": ("accuracy:accuracy", "Error rates with intervals: accuracy.json and report.html in DIR."),
    "baseline": (
        "baseline:baseline",
        "Store figures of synthetic people and, for this kind of machine, ratios to peers; or check against them.",
    ),
    "calibrate": (
        "calibrate:calibrate",
        "Make a comparison profile: thresholds by rate for one model, from your own data.",
    ),
    "campaign": (
        "campaign:campaign",
        "Compare the protected codes of everybody with everybody; 31 623 people are 10^9 comparisons.",
    ),
    "channels": (
        "channels:channels",
        "Capacity of each way out of a locked secure world: a hostile application sends, somebody outside reads.",
    ),
    "compare": ("compare:compare_command", "List what changed from OLD to NEW; exit 3 if a rule is broken."),
    "coverage": (
        "coverage:coverage_command",
        "How often 95 % intervals over people hold the truth, on synthetic people whose truth is known.",
    ),
    "enrollment": (
        "enrollment:enrollment",
        "Groups of samples of one person, and of two, before the gate of the enrollment: enrollment.json.",
    ),
    "extract": (
        "extract:extract",
        "From pictures to error rates, engines side by side: extract.json and report.html in DIR.",
    ),
    "latency": (
        "latency:latency",
        "What callers wait for: cold commands, start, 1:1, 1:N, enrollment, memory; beside another checkout.",
    ),
    "native": (
        "native:native",
        "What an invocation through libteec costs, a call that the core answers, a digest, an object written.",
    ),
    "protection": (
        "protection:protection",
        "What protected codes cost, leak and link, with and without the secret: protection.json and report.html.",
    ),
    "rates": ("rates:rates", "Try thresholds on sources they were not made from: rates.json in DIR."),
    "realism": (
        "realism:realism",
        "Score quantiles and error rates of real and synthetic people side by side: realism.json.",
    ),
    "scores": ("accuracy:scores", "Write all scores of a data set, for others to judge."),
    "serve": (
        "serve:serve",
        "What a call through `bioguard serve --protocol 2` takes beside the facade's, and events a second.",
    ),
    "speed": (
        "speed:speed",
        "Comparisons per second and latency on synthetic people, each next to its peers in the same run.",
    ),
}

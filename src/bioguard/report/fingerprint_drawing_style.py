"""Colors and strokes of `bioguard.report.fingerprint_drawing`, light and dark.

Blue and orange stay apart for all common kinds of color blindness (Okabe and Ito 2008); all text has a contrast of at
least 4.5 to its ground.
"""

STYLE = """
text{font:12px system-ui,sans-serif;fill:#1c2733}
.h{font-weight:600;font-size:14px}.s{font-size:11px;fill:#55606c}
.n{font-size:11px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3px}
.bg{fill:#fff}
.a{fill:#0072b2;stroke:#0072b2;stroke-width:1.6}
.b{fill:#fff;fill-opacity:.6;stroke:#d55e00;stroke-width:1.8}
.lone{opacity:.32}
.pair{stroke:#009e73;stroke-linecap:round}
@media (prefers-color-scheme:dark){
text{fill:#e6ebf0}.s{fill:#a3afbb}.n{stroke:#12181f}.bg{fill:#12181f}
.a{fill:#56b4e9;stroke:#56b4e9}.b{fill:#12181f;stroke:#f2943a}.pair{stroke:#2fd0a0}}
"""

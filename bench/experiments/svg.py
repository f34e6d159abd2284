"""A few lines of plain SVG: shapes and text with two decimals, no bitmap, no font, no date, so that files are small and
two runs differ nowhere. For pictures of the documentation; plots of reports are `bench.plots`."""

from collections.abc import Iterable
from html import escape

DARK, WARM, COOL, GREEN, GRAY = "#1f2933", "#c44e00", "#1f5fa8", "#2e7d4f", "#64748b"
FONT = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))


class Drawing:
    """A page in pixels, y downward, on white paper."""

    def __init__(self, width: int, height: int, *, title: str, description: str) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="{FONT}" font-size="13">\n'
            f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n"
        )
        self._shapes: list[str] = []
        self.add("rect", width=width, height=height, fill="#ffffff")

    def add(self, shape: str, **attributes: object) -> None:
        """One element; `stroke_width` is written stroke-width."""
        written = " ".join(f'{name.replace("_", "-")}="{_plain(value)}"' for name, value in attributes.items())
        self._shapes.append(f"<{shape} {written}/>")

    def text(self, x: float, y: float, text: str, **attributes: object) -> None:
        """A line of text; its baseline begins at the point unless `text_anchor` says otherwise."""
        extra = "".join(f' {name.replace("_", "-")}="{_plain(value)}"' for name, value in attributes.items())
        fill = "" if "fill" in attributes else f' fill="{DARK}"'
        self._shapes.append(f'<text x="{_plain(float(x))}" y="{_plain(float(y))}"{fill}{extra}>{escape(text)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str = DARK, width: float = 1.0) -> None:
        """A straight line."""
        ends = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
        self.add("line", **ends, stroke=color, stroke_width=float(width))

    def path(self, points: Iterable[tuple[float, float]], color: str, **attributes: object) -> None:
        """A line through points."""
        drawn = " ".join(f"{_plain(float(x))},{_plain(float(y))}" for x, y in points)
        self.add("polyline", points=drawn, fill="none", stroke=color, **attributes)

    def svg(self) -> str:
        """The file."""
        return self._head + "\n".join(self._shapes) + "\n</svg>\n"

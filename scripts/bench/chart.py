"""The chart: in: saved results (what report.raw() gives); out: an SVG of wall time and peak memory, one bar per program.

The SVG has its own background and two sets of colours, so it is readable in light and in dark surroundings. Every bar carries its
name and its figure: colours only repeat what the text says. The same results give the same bytes.
"""

from __future__ import annotations

import html
import sys

from bench.measure import Run, median
from bench.workloads import MIB, OURS

WORKLOADS = ("days7", "days694")

WIDTH = 840
MARGIN = 24
NAMES = 128  # the programs' names, right-aligned, stand left of this
PANEL = (WIDTH - 2 * MARGIN - 24) // 2
FIGURES = 120  # room for the figure behind the longest bar
LONGEST = PANEL - NAMES - FIGURES
ROW = 24
BAR = 16

STYLE = """\
text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; fill: #1f2328 }
.background { fill: #ffffff }
.heading { font-size: 14px; font-weight: 600 }
.axis, .about { fill: #59636e }
.about { font-size: 11px }
.ours { font-weight: 600 }
rect.ours { fill: #0969da }
rect.peer { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .background { fill: #0d1117 }
  .axis, .about { fill: #9198a1 }
  rect.ours { fill: #4493f8 }
  rect.peer { fill: #656c76 }
}"""


def svg(results: dict) -> str:
    """The chart of the workloads of WORKLOADS that the results have; ends the benchmark if they have none."""
    found = {workload["name"]: workload for workload in results["workloads"]}
    shown = [found[name] for name in WORKLOADS if name in found]
    if not shown:
        sys.exit(f"error: the chart shows {' and '.join(WORKLOADS)}, and the results have neither")
    parts, y = [], MARGIN
    for workload in shown:
        medians = {name: median([Run(**run) for run in runs]) for name, runs in workload["programs"].items()}
        order = sorted(medians, key=lambda name: medians[name].wall)
        parts.append(text(MARGIN, y + 14, f"{workload['about']}, {workload['partitions']:,} partitions", "heading"))
        y += 26
        parts += panel(MARGIN, y, "wall time", [(name, medians[name].wall, seconds(medians[name].wall)) for name in order])
        parts += panel(WIDTH - MARGIN - PANEL, y, "peak memory",
                       [(name, medians[name].rss, f"{medians[name].rss / MIB:,.0f} MiB") for name in order])
        y += 20 + ROW * len(order) + 18
    for line in about(results):
        parts.append(text(MARGIN, y + 4, line, "about"))
        y += 16
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 8}" viewBox="0 0 {WIDTH} {y + 8}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">Wall time and peak memory of {html.escape(OURS)} beside other programs</title>',
        f'<desc id="description">{html.escape(description(shown))}</desc>',
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="background" width="{WIDTH}" height="{y + 8}" rx="6"/>', *parts, "</svg>"]) + "\n"


def panel(x: int, y: int, what: str, rows: list[tuple[str, float, str]]) -> list[str]:
    """One figure of one workload: a bar per program, as long as its figure says, from zero."""
    ours = dict((name, value) for name, value, _ in rows).get(OURS)
    most = max(value for _, value, _ in rows) or 1
    parts = [text(x + NAMES, y + 12, what, "axis")]
    for number, (name, value, figure) in enumerate(rows):
        top = y + 20 + ROW * number
        kind = "ours" if name == OURS else "peer"
        length = max(1, round(LONGEST * value / most))
        ratio = f" ({value / ours:.1f} ×)" if ours and name != OURS else ""
        parts += [text(x + NAMES - 8, top + 13, name, kind, "end"),
                  f'<rect class="{kind}" x="{x + NAMES}" y="{top}" width="{length}" height="{BAR}" rx="2"/>',
                  text(x + NAMES + length + 6, top + 13, figure + ratio, kind)]
    return parts


def text(x: int, y: int, content: str, kind: str, anchor: str | None = None) -> str:
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{at}>{html.escape(content)}</text>'


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 else f"{1000 * value:.0f} ms"


def about(results: dict) -> list[str]:
    """How and where it was measured, in two lines."""
    machine = results["machine"]
    rounds = "one round" if results["rounds"] == 1 else f"medians of {results['rounds']} alternating rounds"
    named = {name for workload in results["workloads"] if workload["name"] in WORKLOADS for name in workload["programs"]}
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items() if name in named)
    return [f"{results['command']}, {rounds}, {machine['cores']} cores ({machine['cpu']}), {results['date']}.",
            f"Same input, same rows out, compared value by value. {versions}."]


def description(shown: list[dict]) -> str:
    """All figures as text, for those who do not see the bars."""
    sentences = []
    for workload in shown:
        medians = {name: median([Run(**run) for run in runs]) for name, runs in workload["programs"].items()}
        figures = ", ".join(f"{name} {seconds(run.wall)} and {run.rss / MIB:,.0f} MiB" for name, run in medians.items())
        sentences.append(f"{workload['about']}: {figures}.")
    return " ".join(sentences)

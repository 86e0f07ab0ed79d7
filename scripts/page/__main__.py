"""Loads worlds, makes their pages, and looks at them in Chromium. Started by page.sh.

In: BIN_DIR, WORK_DIR, the arguments. Out: exit code 1 and what is wrong, if a page shows other numbers than were written, than `list --json`
says or than the disk has; if it is not all reached by a keyboard, not read by everybody, runs or fetches anything; if it is too large
or takes too long.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from page import world as worlds
from page.browser import CONTRASTS, FOCUSABLE, STRUCTURE, TABLES, Browser

PROGRAM = pathlib.Path(os.environ["BIN_DIR"]).resolve() / "eventloader"
WORK = pathlib.Path(os.environ["WORK_DIR"])
# What the page of 10,000 partitions may take.
BYTES_PER_PARTITION = 2_000_000 / 10_000
SECONDS_MAX = 2.0
# A4 across, without margins of 12 mm, in CSS pixels.
PAPER_WIDTH = 1_032
# The forms of targets, each with the number of its days.
FORMS = [(75, ["--layout", "plain"]), (4, ["--layout", "hive", "--partition-by", "hour"]), (4, ["--table", "delta"])]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/page.sh", description="Looks at the pages of `eventloader list --html` in Chromium.")
    parser.add_argument("--partitions", type=int, default=10_000, help="of the large target (default: 10000)")
    parser.add_argument("--screenshots", type=pathlib.Path, help="a directory for pictures of the pages, and a PDF")
    given = parser.parse_args()
    with Browser() as browser:
        for number, (days, form) in enumerate(FORMS):
            usual = worlds.usual(WORK / f"usual-{number}", days)
            target = load(usual, f"lake-{number}", form)
            page = make(target)
            check_numbers(browser, page, target, usual, form)
            print(f"{' '.join(form)}: {len(usual.rows):,} cells, the loads, the bad lines and the sizes are what was written")
        check_look(browser, WORK / "lake-0.html", given.screenshots)
        check_keyboard(browser, WORK / "lake-0.html")
        check_paper(browser, WORK / "lake-0.html", given.screenshots)
        check_large(browser, given.partitions)
    return 0


def load(world: worlds.World, name: str, form: list[str]) -> pathlib.Path:
    target = WORK / name
    for source in world.sources:
        run("-s", world.folder / source, "-t", target, "--backfill", "--mode", "merge", "--catalog", world.folder / "catalog.toml",
            "--max-bad-lines", "100%", "-q", *form)
    return target


def make(target: pathlib.Path) -> pathlib.Path:
    page = target.with_suffix(".html")
    run("list", target, "--html", page)
    return page


def run(*arguments: object) -> str:
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"eventloader {[*map(str, arguments)]} exited with {done.returncode}: {done.stderr}")
    return done.stdout


def require(is_so: object, what: str) -> None:
    if not is_so:
        sys.exit(f"error: {what}")


def equal(found: object, expected: object, what: str) -> None:
    if isinstance(found, dict) and isinstance(expected, dict):
        # Thousands of cells that are right would hide those that are not.
        differing = sorted(key for key in found.keys() | expected.keys() if found.get(key, 0) != expected.get(key, 0))[:5]
        found, expected = ({key: all_of.get(key, 0) for key in differing} for all_of in (found, expected))
    require(found == expected, f"{what}: the page has {found!r}, expected {expected!r}")


def number(text: str) -> int:
    return int(re.sub(r"[▼▲\u202f,]", "", text) or 0)


def check_numbers(browser: Browser, page: pathlib.Path, target: pathlib.Path, world: worlds.World, form: list[str]) -> None:
    browser.show(page.as_uri())
    equal(calendar(browser), world.rows, "the calendar")
    by_month = collections.Counter()
    for (day, domain, name), rows in world.rows.items():
        by_month[day[:7], domain, name] += rows
    # Of one month, the calendar has all.
    months = {month for month, _, _ in by_month}
    equal(grid(browser, "Rows by month"), by_month if len(months) > 1 else {}, "rows by month")
    if "plain" in form:
        equal(grid(browser, "Bytes by month"), bytes_by_month(target), "bytes by month")

    loads = [json.loads(line) for line in run("list", target, "--json").splitlines()]
    keys = ["commit", "lines", "written", "redelivered", "corrected", "held_superseded", "quarantined", "filtered", "blank", "partitions"]
    [table] = browser.ask(TABLES, "Loads, the latest first")
    shown = [[number(text) for place, text in enumerate(row) if place not in (1, 2, 12)] for row in table["rows"][:-1]]
    equal(shown, [[load[key] for key in keys] for load in reversed(loads)], "the loads")
    sums = [sum(load[key] for load in loads) for key in keys[1:-1]]
    equal([number(text) for text in table["rows"][-1][3:11]], sums, "the sums of the loads")
    kinds = {kind: number(browser.ask("return document.getElementById(arguments[0]).textContent", kind))
             for kind in ("redelivered", "corrected", "existing-superseded")}
    equal(kinds, {"redelivered": world.redelivered, "corrected": 0, "existing-superseded": world.corrected}, "superseded rows by kind")

    reasons = collections.Counter()
    for line in run("quarantine", target, "--json", "-q").splitlines():
        group = json.loads(line)
        reasons[group["reason"]] += group["lines"]
    heads = browser.ask("return [...document.querySelectorAll('#bad-lines h3')].map(it => it.textContent)")
    shown = {head.split()[0]: number(head.split()[1]) for head in heads}
    equal(shown, dict(reasons), "bad lines by reason")
    equal(sum(shown.values()), world.bad, "bad lines")
    equal(browser.ask(STRUCTURE), [], "the structure")
    equal(browser.complaints(), [], "the console")


def calendar(browser: Browser) -> collections.Counter:
    rows = collections.Counter()
    labels = browser.ask("return [...document.querySelectorAll('.scroll')].map(it => it.getAttribute('aria-label'))")
    for label in dict.fromkeys(label.split(", part")[0] for label in labels if label.startswith("Rows by day, ")):
        rows += grid(browser, label)
    return rows


def grid(browser: Browser, label: str) -> collections.Counter:
    """The cells of the tables with this label; their totals must be the sums."""
    cells, totals = collections.Counter(), collections.Counter()
    for table in browser.ask(TABLES, label):
        for row in table["rows"]:
            if len(row) < 2:
                continue
            head, *texts = row
            period = head.split()[0]
            if table["isFirst"]:
                totals[period] += number(texts.pop(0))
            for domain, name, text in zip(table["domains"], table["names"], texts, strict=True):
                if text not in ("", "–"):
                    cells[period, domain, name] += number(text)
    sums = collections.Counter()
    for (period, _, _), count in cells.items():
        sums[period] += count
    equal(totals, sums, f"the totals of {label}")
    if label.endswith("by month"):
        of_all = {key[1:]: count for key, count in cells.items() if key[0] == "all"}
        cells = collections.Counter({key: count for key, count in cells.items() if key[0] != "all"})
        for key, count in of_all.items():
            equal(sum(one for other, one in cells.items() if other[1:] == key), count, f"all months of {key} in {label}")
    return cells


def bytes_by_month(target: pathlib.Path) -> collections.Counter:
    domains = {name: domain for domain, name in worlds.EVENT_TYPES}
    found = collections.Counter()
    for file in target.glob("[0-9]*/*/*/*/*.parquet"):
        year, month, _, directory, _ = file.relative_to(target).parts
        name = directory.removeprefix(domains.get(directory.split(".", 1)[-1], "") + ".")
        found[f"{year}-{month}", domains[name], name] += file.stat().st_size
    return found


def check_look(browser: Browser, page: pathlib.Path, screenshots: pathlib.Path | None) -> None:
    browser.requests()
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            where = f"at {width} px, {scheme}"
            browser.show(page.as_uri(), width, scheme)
            require(browser.ask("return document.documentElement.scrollWidth <= innerWidth"), f"the page is wider than the window {where}")
            browser.ask("document.querySelectorAll('details').forEach(it => it.open = true)")
            require(browser.ask("return document.documentElement.scrollWidth <= innerWidth"), f"what is opened is wider than the window {where}")
            contrasts = browser.ask(CONTRASTS)
            equal(contrasts["weak"], [], f"texts of less contrast than 4.5 {where}")
            require(contrasts["texts"] > 1_000, f"only {contrasts['texts']} texts {where}")
            print(f"{where}: {contrasts['texts']:,} texts, the least contrast is {contrasts['least']:.1f}")
            if screenshots:
                screenshots.mkdir(parents=True, exist_ok=True)
                browser.show(page.as_uri(), width, scheme)
                (screenshots / f"{scheme}-{width}.png").write_bytes(browser.screenshot(width))
    asked = [address for address in browser.requests() if not address.startswith(page.as_uri())]
    equal(asked, [], "addresses that were asked for")
    equal(browser.complaints(), [], "the console")
    shown = browser.ask("return document.body.textContent")
    for text in ('<script>alert("raw")</script>', "\\u202E", "<b>'"):
        require(text in shown, f"{text!r} is not shown as it is")
    require("W" * 300 not in shown, "a long line is not cut")


def check_keyboard(browser: Browser, page: pathlib.Path) -> None:
    browser.show(page.as_uri(), 360)
    expected = browser.ask(FOCUSABLE)
    reached = []
    for place in range(len(expected)):
        browser.press("TAB")
        reached.append(browser.driver.switch_to.active_element)
        if place == 0:
            require(browser.ask("return document.activeElement.getBoundingClientRect().left >= 0"), "the skip link is not seen with the focus")
        style = browser.ask("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]")
        require(style[0] != "none" and style[1] >= 2, f"the focus is not seen on {reached[-1].get_attribute('outerHTML')[:120]}")
    equal([it.id for it in reached], [it.id for it in expected], "what Tab reaches, in order")
    regions = [it for it in reached if (it.get_attribute("aria-label") or "").startswith("Rows by day")]
    require(regions, "Tab reaches no region of the calendar")
    browser.ask("arguments[0].focus()", regions[0])
    browser.press(*["ARROW_RIGHT"] * 5)
    deadline = time.monotonic() + 5
    while not browser.ask("return arguments[0].scrollLeft", regions[0]):
        require(time.monotonic() < deadline, "the calendar does not scroll by arrow keys")
        time.sleep(0.05)
    closed = browser.ask("return document.querySelector('details:not([open]) > summary')")
    browser.ask("arguments[0].focus()", closed)
    browser.press("ENTER")
    require(browser.ask("return arguments[0].parentElement.open", closed), "Enter does not open a month")
    print(f"keyboard: Tab reaches all {len(expected)} places in order; arrows scroll the calendar, Enter opens a month")


def check_paper(browser: Browser, page: pathlib.Path, screenshots: pathlib.Path | None) -> None:
    browser.show(page.as_uri(), PAPER_WIDTH, "dark")
    browser.media("print", "dark")
    hidden = browser.ask("return [...document.querySelectorAll('table')].filter(it => !it.getBoundingClientRect().height).length")
    equal(hidden, 0, "tables that are not on paper")
    wide = browser.ask("return [...document.querySelectorAll('table')].filter(it => it.getBoundingClientRect().width > arguments[0])"
                       ".map(it => it.caption.textContent)", PAPER_WIDTH)
    equal(wide, [], "tables that are wider than the paper")
    equal(browser.ask("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)", "the colour of paper")
    paper = browser.paper()
    require(paper.startswith(b"%PDF-"), "printing makes no PDF")
    sheets = len(re.findall(rb"/Type\s*/Page\b", paper))
    require(sheets > 1, f"{sheets} sheets")
    if screenshots:
        (screenshots / "paper.pdf").write_bytes(paper)
    print(f"paper: {sheets} sheets, every table whole")


def check_large(browser: Browser, partitions: int) -> None:
    world = worlds.large(WORK / "large", partitions)
    target = load(world, "lake-large", [])
    times = []
    for _ in range(3):
        start = time.monotonic()
        page = make(target)
        times.append(time.monotonic() - start)
    length = page.stat().st_size
    limit = max(BYTES_PER_PARTITION * partitions, 200_000)
    require(length < limit, f"a page of {length:,} bytes for {partitions:,} partitions, and {limit:,.0f} are allowed")
    require(min(times) < SECONDS_MAX, f"a page that takes {min(times):.2f} s for {partitions:,} partitions")
    browser.show(page.as_uri())
    equal(calendar(browser), world.rows, "the calendar of the large target")
    equal(browser.complaints(), [], "the console")
    print(f"{partitions:,} partitions: a page of {length:,} bytes in {min(times):.2f} s, all cells as written")
    shutil.rmtree(target)


if __name__ == "__main__":
    sys.exit(main())

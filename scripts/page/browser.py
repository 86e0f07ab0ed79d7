"""Chromium, and what a page is asked in it.

In: a page's address. Out: facts about what it shows: numbers, contrasts, what a keyboard reaches. The browser talks to nothing but the
page's address and its own driver.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

# What can take the focus and is shown.
FOCUSABLE = """
const all = document.querySelectorAll('a[href], summary, [tabindex="0"], button, input, select, textarea');
return [...all].filter(it => it.checkVisibility());
"""

# The texts whose contrast with what is behind them is less than 4.5, by the formula of WCAG 2.2.
CONTRASTS = """
const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return {rgb: n.slice(0, 3), alpha: n.length > 3 ? n[3] : 1}; };
const light = rgb => { const [r, g, b] = rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const behind = it => { for (; it; it = it.parentElement) { const c = parse(getComputedStyle(it).backgroundColor); if (c.alpha === 1) return c.rgb;
  if (c.alpha > 0) throw 'half transparent: ' + it.outerHTML.slice(0, 90); } return [255, 255, 255]; };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), weak = new Set(); let texts = 0, least = 99;
while (walker.nextNode()) {
  const text = walker.currentNode, it = text.parentElement;
  if (!text.data.trim() || !it.checkVisibility()) continue;
  const ink = parse(getComputedStyle(it).color).rgb, [a, b] = [light(ink), light(behind(it))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05); texts += 1; least = Math.min(least, ratio);
  if (ratio < 4.5) weak.add(`${ratio.toFixed(2)}: ${text.data.trim().slice(0, 40)} (${it.tagName} ${it.className})`);
}
return {texts, least, weak: [...weak]};
"""

# All tables whose region has this label, or one that begins with it and a comma: heads, and rows as texts.
TABLES = """
const label = arguments[0], found = [];
for (const region of document.querySelectorAll('.scroll')) {
  const own = region.getAttribute('aria-label');
  if (own !== label && !own.startsWith(label + ', part')) continue;
  const table = region.querySelector('table'), heads = [...table.tHead.rows];
  const domains = [...heads[0].querySelectorAll('.domain')].flatMap(it => Array(it.colSpan).fill(it.textContent));
  const rows = [...table.tBodies[0].rows, ...(table.tFoot ? table.tFoot.rows : [])];
  found.push({domains, names: [...heads.at(-1).cells].map(it => it.textContent), isFirst: heads[0].cells[1]?.textContent === 'all types',
    rows: rows.map(row => [...row.cells].map(it => it.textContent.trim()))});
}
return found;
"""

# What makes tables, headings and the page as a whole understood without being seen.
STRUCTURE = """
const wrong = [];
const say = (is, what) => { if (!is) wrong.push(what); };
say(document.documentElement.lang === 'en', 'no language');
say(document.querySelectorAll('h1').length === 1, 'not one h1');
let before = 1;
for (const head of document.querySelectorAll('h1, h2, h3, h4')) {
  const level = Number(head.tagName[1]); say(level <= before + 1, 'a level is skipped before ' + head.textContent); before = level; }
for (const table of document.querySelectorAll('table')) {
  say(table.caption?.textContent.trim(), 'a table has no caption');
  for (const head of table.querySelectorAll('th')) say(head.scope, 'a head has no scope: ' + head.textContent); }
for (const region of document.querySelectorAll('.scroll'))
  say(region.tabIndex === 0 && region.getAttribute('role') === 'region' && region.getAttribute('aria-label'), 'a region is not labelled');
for (const link of document.querySelectorAll('a')) say(document.querySelector(link.getAttribute('href')), 'leads nowhere: ' + link.href);
const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
say(new Set(ids).size === ids.length, 'an id is there twice');
say(document.scripts.length === 0, 'there is a script');
for (const it of document.querySelectorAll('*')) for (const {name, value} of it.attributes) {
  say(!name.startsWith('on') && name !== 'style', 'an attribute ' + name);
  say(!['src', 'href', 'action', 'data'].includes(name) || value.startsWith('#'), `leads out: ${name}=${value}`); }
return wrong;
"""


class Browser:
    """A browser with a profile of its own, which goes with it."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp()
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in [*FLAGS, f"--user-data-dir={self._profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_script_timeout(60)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def show(self, address: str, width: int = 1280, scheme: str = "light") -> None:
        self.media("screen", scheme)
        self._tell("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.driver.get(address)
        # On a busy machine Chromium may be asked while it still reads a large page.
        WebDriverWait(self.driver, 60).until(lambda _: self.ask("return document.readyState") == "complete")

    def media(self, media: str, scheme: str = "light") -> None:
        self._tell("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def ask(self, script: str, *given: object):
        return self.driver.execute_script(script, *given)

    def complaints(self) -> list[str]:
        """What the console says since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for since it was last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.driver.switch_to.active_element.send_keys(getattr(Keys, key))

    def screenshot(self, width: int) -> bytes:
        height = self.ask("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 12_000), "scale": 1}
        return base64.b64decode(self._tell("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])

    def paper(self) -> bytes:
        return base64.b64decode(self._tell("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _tell(self, command: str, **given: object) -> dict:
        return self.driver.execute_cdp_cmd(command, given)

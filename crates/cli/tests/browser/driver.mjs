// A browser that does what it is told: one JSON command a line on stdin, one JSON answer a line on stdout.
//
// Owns: the words of a person at a browser (go, press, write, read), what every page is held to, and pictures. Never: what is
// expected; the tests in Rust say that.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let page;
let scripted;
let seen;

// What the page asked for and complained of since it was last gone to.
const fresh = () => ({ requests: [], errors: [] });

const open = async ({ scheme, width, script }) => {
  scripted = script;
  await page?.context().close();
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    javaScriptEnabled: script,
    timezoneId: "Europe/Vienna",
    acceptDownloads: true,
  });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  // Each page is weighed as a first load: nothing of it comes from the browser's memory.
  const client = await context.newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  seen = fresh();
  page.on("request", (request) => seen.requests.push(request));
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("console", (line) => line.type() === "error" && seen.errors.push(line.text()));
};

// The field of a label, or else that of an id or a name.
const field = async (name) => {
  const labelled = page.getByLabel(name, { exact: true });
  if ((await labelled.count()) > 0) return labelled.first();
  return page.locator(`[id="${name}"]:visible, [name="${name}"]:visible`).first();
};

// A button that is pressed: by the mouse, and by the keyboard where the page runs no scripts. There Chromium draws no frames
// while nothing moves, and the mouse would wait for one to know that the button stands still.
const pressed = async (name) => {
  const button = page.getByRole("button", { name, exact: true }).first();
  await (scripted ? button.click() : button.press("Enter"));
};

const settled = () => page.waitForLoadState("networkidle");

const verbs = {
  open,
  async go({ path }) {
    seen = fresh();
    const response = await page.goto(path, { waitUntil: "load" });
    // What is asked for later, while it is looked at, is no part of the first load.
    seen.first = seen.requests.length;
    return { status: response?.status() ?? 0, url: page.url() };
  },
  async write({ field: name, text }) {
    await (await field(name)).fill(text);
  },
  async choose({ field: name, value }) {
    const at = await field(name);
    if ((await at.evaluate((node) => node.tagName)) === "SELECT") await at.selectOption(value);
    else await page.locator(`[name="${name}"][value="${value}"]`).first().check();
  },
  // A box in the form that is sent to …/form, or has a button of that value.
  async tick({ form, field: name }) {
    const forms = page.locator(`form:has(button[value="${form}"]), form[action$="/${form}"]`);
    await forms.first().locator(`[name="${name}"]`).check();
  },
  async key({ key }) {
    await page.keyboard.press(key);
  },
  async focus({ field: name }) {
    await (await field(name)).focus();
  },
  async upload({ field: name, path }) {
    await (await field(name)).setInputFiles(path);
  },
  async press({ name }) {
    await pressed(name);
    await page.waitForLoadState("load");
  },
  // What a button brings as a file.
  async download({ name }) {
    const [file] = await Promise.all([page.waitForEvent("download"), pressed(name)]);
    return { text: readFileSync(await file.path(), "utf8") };
  },
  async unfold() {
    await page.$$eval("main details", (all) => all.forEach((one) => { one.open = true; }));
  },
  // Waits until the page's main part says this (a regular expression); what it says.
  async until({ says, seconds }) {
    const main = page.locator("main");
    await main.filter({ hasText: new RegExp(says) }).first().waitFor({ timeout: seconds * 1000 });
    return { text: await main.innerText() };
  },
  async read() {
    return { text: await page.locator("main").innerText(), title: await page.title(), head: (await page.locator("header").allInnerTexts()).join(" "), url: page.url(), html: await page.content() };
  },
  async paper() {
    await page.emulateMedia({ media: "print" });
    const text = await page.locator("main").innerText();
    const cut = await page.$$eval("main *", (all) => all.filter((one) => {
      const { maxHeight, display } = getComputedStyle(one);
      return display !== "none" && maxHeight !== "none";
    }).length);
    await page.emulateMedia({ media: "screen" });
    return { text, cut };
  },
  // What every page is held to: accessible, no wider than the window, nothing from elsewhere, no error.
  async judge() {
    await settled();
    const here = new URL(page.url()).origin;
    const urls = seen.requests.map((request) => request.url());
    const elsewhere = urls.filter((url) => !url.startsWith("data:") && new URL(url).origin !== here);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const { first, errors } = seen;
    // What the page before it had under way ends without an answer.
    const sizes = await Promise.all(seen.requests.slice(0, first).map((request) => request.sizes().catch(() => null)));
    const bytes = sizes.reduce((sum, one) => sum + (one ? one.responseBodySize + one.responseHeadersSize : 0), 0);
    const judged = { requests: first, bytes, errors: [...errors], elsewhere, wider };
    // Through the debugger's door: the page's own policy lets no such script in.
    const client = await page.context().newCDPSession(page);
    await client.send("Runtime.evaluate", { expression: axe });
    const run = "axe.run().then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | '))))";
    const said = await client.send("Runtime.evaluate", { expression: run, awaitPromise: true, returnByValue: true });
    await client.detach();
    return { ...judged, violations: JSON.parse(said.result.value) };
  },
  async picture({ path, instead }) {
    await page.evaluate((instead) => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) {
        const node = texts.currentNode;
        node.data = instead.reduce((text, [from, to]) => text.replaceAll(from, to), node.data);
      }
    }, instead);
    await page.screenshot({ path, type: "jpeg", quality: 66, fullPage: true, scale: "css" });
  },
  async cookies() {
    return { cookies: await page.context().cookies() };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { verb, ...words } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await verbs[verb](words)) ?? {} };
  } catch (error) {
    const text = page ? await page.locator("body").innerText().catch(() => "") : "";
    answer = { failed: `${verb} ${JSON.stringify(words)}: ${error.message}\nat ${page?.url()}\n${text}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();

// What makes pages handier; all of them work without it. htmx brings the moving parts (hx-… in the markup).
document.addEventListener("input", (event) => {
  // A list that is narrowed as one types: data-narrows names it, data-words of its members is looked through.
  const list = document.getElementById(event.target.dataset?.narrows ?? "");
  if (!list) return;
  // Fingerprints and serials are written with colons and without.
  const plain = (text) => text.toLowerCase().replaceAll(":", "");
  const words = plain(event.target.value).split(/\s+/).filter(Boolean);
  let left = 0;
  for (const member of list.querySelectorAll("[data-words]")) {
    const text = plain(member.dataset.words);
    // What is chosen stays in sight.
    member.hidden = !words.every((word) => text.includes(word)) && !member.querySelector(":checked");
    if (!member.hidden) left += 1;
  }
  const empty = document.querySelector(`[data-empty="${list.id}"]`);
  if (empty) empty.hidden = left > 0;
});

document.addEventListener("keydown", (event) => {
  // In such a search Enter saves nothing, and the arrow leads to what is left.
  const list = document.getElementById(event.target.dataset?.narrows ?? "");
  if (!list || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
  event.preventDefault();
  if (event.key === "ArrowDown") [...list.querySelectorAll("input:enabled, a[href]")].find((one) => one.checkVisibility())?.focus();
});

// A form that is on its way asks for nothing any more: what it would show is the next page's, and would keep the agent from it.
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) event.target.dataset.sent = "";
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.closest?.("form[data-sent]")) event.preventDefault();
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Times in the viewer's zone: on hover, and where a date is all that is shown.
const zoned = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    if ("date" in time.dataset) time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
};
zoned(document);
document.addEventListener("htmx:load", (event) => zoned(event.target));

// What is rolled back by itself unless somebody keeps it: how long is left.
const counted = () => {
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.ceil((Date.parse(left.dataset.until) - Date.now()) / 1000);
    if (Number.isNaN(seconds)) continue;
    left.textContent = seconds > 0 ? `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s left` : "no time left";
    // The page is looked at again until it says what has become of it.
    if (seconds < 0 && seconds % 2 === 0) htmx.trigger(left.closest("[hx-trigger]"), "over");
  }
};
counted();
setInterval(counted, 1000);

// A page that stands open grows older: so do its times, and the agent that was seen.
const SECONDS = { s: 1, min: 60, h: 3600, days: 86400 };
const ago = (age) => age < 60 ? `${age} s ago` : age < 3600 ? `${Math.floor(age / 60)} min ago` : age < 172800 ? `${Math.floor(age / 3600)} h ago` : `${Math.floor(age / 86400)} days ago`;
const read = new WeakMap();
const aged = () => {
  for (const time of document.querySelectorAll("time[datetime]")) {
    if (!read.has(time)) {
      const [, number, unit] = /^(\d+) (s|min|h|days) ago$/.exec(time.textContent.trim()) ?? [];
      read.set(time, unit && Date.now() - number * SECONDS[unit] * 1000);
    }
    const since = read.get(time);
    if (!since) continue;
    const age = Math.floor((Date.now() - since) / 1000);
    if (time.textContent !== ago(age)) time.textContent = ago(age);
    const dot = time.closest("#pulse")?.querySelector(".dot");
    if (dot) dot.className = `dot ${age < 10 ? "alive" : age < 60 ? "late" : "gone"}`;
  }
};
setInterval(aged, 1000);
aged();

// Where the console answers no more, nothing on the page is so for certain.
const silence = document.getElementById("silence");
const silent = (words) => {
  if (!silence) return;
  silence.textContent = words;
  silence.hidden = !words;
  document.body.classList.toggle("silent", Boolean(words));
};
const SILENT = "The console does not answer: what stands here is as it was. Load the page again.";
document.addEventListener("htmx:sendError", () => silent(SILENT));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) silent("You are signed out: what stands here is as it was. Load the page again to sign in.");
  else if (event.target.id === "pulse") silent(SILENT);
});
document.addEventListener("htmx:afterOnLoad", (event) => event.target.id === "pulse" && silent(""));
// Nobody's place in the page is taken away.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const chosen = document.getSelection();
  if (event.detail.target.contains(document.activeElement) || chosen?.type === "Range") event.detail.shouldSwap = false;
});
document.addEventListener("click", (event) => {
  // What would work at a destination's servers, taken into the form: data-level, data-names.
  const taken = event.target.closest?.("button[data-level]");
  if (!taken?.form) return;
  taken.form.elements.level.value = taken.dataset.level;
  taken.form.elements.names.value = taken.dataset.names;
  taken.form.elements.level.dispatchEvent(new Event("input", { bubbles: true }));
});

// Rows that are ticked: data-ticks ticks all of the page, data-unticks none of any; data-counts tells how many are, data-keeps
// under which name those of other pages are kept for as long as the tab is open. A tick is `digest destination`: one of a row
// that has changed since is gone.
const ticked = (name) => [...document.querySelectorAll(`input[type="checkbox"][name="${name}"]`)];
const tallies = () => document.querySelectorAll("output[data-counts]");
const kept = (told) => {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(told.dataset.keeps)) ?? []);
  } catch {
    return new Map();
  }
};
const keep = (told, ticks) => {
  try {
    sessionStorage.setItem(told.dataset.keeps, JSON.stringify([...ticks]));
  } catch {
    // Where nothing may be stored, ticks are those of the page.
  }
};
const parted = (tick) => {
  const blank = tick.indexOf(" ");
  return [tick.slice(blank + 1), tick.slice(0, blank)];
};
const tell = (told, ticks) => {
  const here = ticked(told.dataset.counts).filter((one) => one.checked).length;
  const all = told.form?.elements.all?.checked;
  const number = (n) => n.toLocaleString("en");
  const beside = ticks.size > here ? `, ${number(ticks.size - here)} on other pages` : "";
  told.value = all ? `All ${told.dataset.of} selected` : `${number(ticks.size)} of ${number(Number(told.dataset.all))} selected${beside}`;
  for (const none of document.querySelectorAll(`button[data-unticks="${told.dataset.counts}"]`)) none.hidden = ticks.size === 0;
};
const taken = (told) => {
  // What the page shows as it is kept.
  const ticks = kept(told);
  for (const box of ticked(told.dataset.counts)) {
    const [row, digest] = parted(box.value);
    box.checked = ticks.get(row) === digest;
    if (!box.checked) ticks.delete(row);
  }
  keep(told, ticks);
  tell(told, ticks);
};
for (const box of document.querySelectorAll("input[data-ticks]")) box.closest("[hidden]")?.removeAttribute("hidden");
addEventListener("pageshow", () => tallies().forEach(taken));
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (name) for (const one of ticked(name)) one.checked = event.target.checked;
  for (const told of tallies()) {
    const ticks = kept(told);
    for (const box of ticked(told.dataset.counts)) {
      const [row, digest] = parted(box.value);
      if (box.checked) ticks.set(row, digest);
      else ticks.delete(row);
    }
    keep(told, ticks);
    tell(told, ticks);
  }
});
document.addEventListener("click", (event) => {
  const name = event.target.closest?.("button[data-unticks]")?.dataset.unticks;
  if (!name) return;
  for (const told of tallies()) keep(told, new Map());
  tallies().forEach(taken);
});
document.addEventListener("submit", (event) => {
  // Those of other pages go with the form; where it is taken, they are ticked no longer.
  for (const told of event.target.querySelectorAll?.("output[data-counts]") ?? []) {
    for (const one of event.target.querySelectorAll("input[data-kept]")) one.remove();
    const here = new Set(ticked(told.dataset.counts).map((box) => parted(box.value)[0]));
    for (const [row, digest] of told.form.elements.all?.checked ? [] : kept(told)) {
      if (here.has(row)) continue;
      const one = document.createElement("input");
      Object.assign(one, { type: "hidden", name: told.dataset.counts, value: `${digest} ${row}` });
      one.dataset.kept = "";
      event.target.append(one);
    }
    sessionStorage.setItem("sent", told.dataset.keeps);
  }
});
try {
  const sent = sessionStorage.getItem("sent");
  sessionStorage.removeItem("sent");
  if (sent && location.pathname.startsWith("/jobs/")) sessionStorage.removeItem(sent);
} catch {
  // Nothing may be stored, so nothing was.
}

// Escape closes what was opened over the page.
document.addEventListener("keydown", (event) => {
  const open = document.querySelector("header details[open]");
  if (event.key !== "Escape" || !open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// Search is a key away.
document.addEventListener("keydown", (event) => {
  if (event.key?.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
  const field = document.getElementById("find");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// What makes pages handier; all of them work without it. htmx brings the moving parts (hx-… in the markup).
document.addEventListener("input", (event) => {
  // A list that is narrowed as one types: data-narrows names it, data-words of its members is looked through.
  const list = document.getElementById(event.target.dataset?.narrows ?? "");
  if (!list) return;
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const member of list.querySelectorAll("[data-words]")) {
    const text = member.dataset.words.toLowerCase();
    member.hidden = !words.every((word) => text.includes(word));
  }
});

document.addEventListener("change", (event) => {
  // What is of no use while TLS is off: data-hides names it, data-while the value that hides it.
  const field = event.target.closest?.("[data-hides]");
  if (!field) return;
  const part = document.getElementById(field.dataset.hides);
  if (part) part.hidden = event.target.value === field.dataset.while;
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

document.addEventListener("change", async (event) => {
  // A file is read into a field: data-fills names it.
  const field = document.getElementById(event.target.dataset?.fills ?? "");
  if (field && event.target.files?.[0]) field.value = await event.target.files[0].text();
});

// Rows that are ticked: data-ticks ticks all of the page, data-counts tells how many of data-of are.
const ticked = (name) => [...document.querySelectorAll(`input[type="checkbox"][name="${name}"]`)];
const tell = () => {
  for (const told of document.querySelectorAll("output[data-counts]")) {
    const all = told.form?.elements.all?.checked;
    const chosen = ticked(told.dataset.counts).filter((one) => one.checked).length;
    told.value = `${all ? told.dataset.of : chosen} of ${told.dataset.of} selected`;
  }
};
for (const box of document.querySelectorAll("input[data-ticks]")) box.closest("[hidden]")?.removeAttribute("hidden");
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (name) for (const one of ticked(name)) one.checked = event.target.checked;
  tell();
});
tell();

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

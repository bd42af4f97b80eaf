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

// Search is a key away.
document.addEventListener("keydown", (event) => {
  if (event.key?.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
  const field = document.getElementById("find");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

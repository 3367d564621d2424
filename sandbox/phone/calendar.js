// The owner's week. Times are shown and typed in the calendar's own time zone.
const $ = (id) => document.getElementById(id);
const form = $("form");
const DAY = 86400000;
let calendars = [];
let events = [];
let monday = startOfWeek(new Date());

function startOfWeek(date) {
  const day = new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()));
  return new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * DAY);
}

const current = () => calendars.find((c) => c.id === $("calendar").value);
const path = (event) => `/control/google/calendars/${encodeURIComponent(current().id)}/events${event ? "/" + encodeURIComponent(event) : ""}`;

// A moment as the calendar's wall clock shows it: 2026-11-28T15:00
function wall(when) {
  if (when.date) return when.date + "T00:00";
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: current().time_zone, dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date(when.dateTime)).replace(" ", "T");
}

const when = (text, allDay) => (allDay ? { date: text.slice(0, 10) } : { dateTime: text + ":00", timeZone: current().time_zone });

async function call(method, url, body) {
  const answer = await fetch(url, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const json = await answer.json();
  $("said").textContent = answer.ok ? "Saved" : json.error.message || json.error;
  return answer.ok && json;
}

async function load() {
  events = (await (await fetch(path())).json()).items.filter((e) => e.status !== "cancelled");
  const days = [...Array(7).keys()].map((n) => new Date(monday.getTime() + n * DAY).toISOString().slice(0, 10));
  $("week").replaceChildren(...days.map(column));
}

function column(day) {
  const section = document.createElement("section");
  section.setAttribute("aria-label", day);
  const heading = document.createElement("h2");
  heading.textContent = day;
  const ofDay = events.filter((e) => wall(e.start).slice(0, 10) === day).sort((a, b) => wall(a.start).localeCompare(wall(b.start)));
  section.append(heading, ...ofDay.map(card));
  section.ondragover = (e) => { e.preventDefault(); section.classList.add("over"); };
  section.ondragleave = () => section.classList.remove("over");
  section.ondrop = (e) => { e.preventDefault(); move(e.dataTransfer.getData("text/plain"), day); };
  return section;
}

function card(event) {
  const button = document.createElement("button");
  button.className = "event " + (event.transparency || "");
  button.draggable = true;
  const time = event.start.date ? "all day" : `${wall(event.start).slice(11)}–${wall(event.end).slice(11)}`;
  button.textContent = `${time} ${event.summary || "(no title)"}`;
  button.ondragstart = (e) => e.dataTransfer.setData("text/plain", event.id);
  button.onclick = () => edit(event);
  return button;
}

function edit(event) {
  $("heading").textContent = "Change event";
  $("delete").hidden = false;
  form.elements.id.value = event.id;
  form.elements.summary.value = event.summary || "";
  form.elements.allday.checked = !!event.start.date;
  form.elements.start.value = wall(event.start);
  form.elements.end.value = wall(event.end);
  form.elements.free.checked = event.transparency === "transparent";
}

// Dropped on another day: the same hours there.
async function move(id, day) {
  const event = events.find((e) => e.id === id);
  if (!event) return;
  const shift = Date.parse(day) - Date.parse(wall(event.start).slice(0, 10));
  const later = (w) => new Date(Date.parse(wall(w) + "Z") + shift).toISOString().slice(0, 16);
  const allDay = !!event.start.date;
  await call("PATCH", path(id), { start: when(later(event.start), allDay), end: when(later(event.end), allDay) });
  load();
}

form.onsubmit = async (e) => {
  e.preventDefault();
  const field = form.elements;
  const body = {
    summary: field.summary.value,
    start: when(field.start.value, field.allday.checked),
    end: when(field.end.value, field.allday.checked),
    transparency: field.free.checked ? "transparent" : "opaque",
  };
  const id = field.id.value;
  if (await call(id ? "PATCH" : "POST", path(id), body)) form.reset();
  load();
};
form.onreset = () => {
  $("heading").textContent = "New event";
  $("delete").hidden = true;
  form.elements.id.value = "";
};
$("delete").onclick = async () => {
  await call("DELETE", path(form.elements.id.value));
  form.reset();
  load();
};
const go = (to) => { monday = to; load(); };
$("before").onclick = () => go(new Date(monday.getTime() - 7 * DAY));
$("after").onclick = () => go(new Date(monday.getTime() + 7 * DAY));
$("today").onclick = () => go(startOfWeek(new Date()));
$("calendar").onchange = load;

(async () => {
  calendars = (await (await fetch("/control/google/calendars")).json()).items;
  $("calendar").replaceChildren(...calendars.map((c) => new Option(`${c.summary} (${c.time_zone})`, c.id)));
  const asked = new URLSearchParams(location.search);
  if (asked.get("calendar")) $("calendar").value = asked.get("calendar");
  if (asked.get("week")) monday = startOfWeek(new Date(asked.get("week") + "T12:00"));
  load();
})();

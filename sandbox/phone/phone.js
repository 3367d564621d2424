// The customer's phone: talks to the control API, listens to server-sent events, draws the chat.

import { setUpFaults } from "/phone/faults.js";

const $ = (id) => document.getElementById(id);
const state = { accounts: [], people: {}, shop: null, platform: "whatsapp", customer: null, clock: 0 };
const SAVED = "frontdesk-phone";
const NAMES = { whatsapp: "WhatsApp", messenger: "Messenger", instagram: "Instagram" };

async function api(path, { method = "GET", body } = {}) {
  const init = body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, init);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The sandbox answered ${response.status}`);
  return answer;
}

// ---- who talks to whom --------------------------------------------------------------------------

const account = () => state.accounts.find((a) => a.shop === state.shop && a.platform === state.platform);
const people = () => (state.people[state.platform] ??= defaults(state.platform));
const person = () => people().find((p) => key(p) === state.customer) ?? people()[0];
const key = (p) => p.phone ?? p.bsuid ?? p.psid;
const digits = (n) => Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => b % 10).join("");

function defaults(platform) {
  if (platform === "whatsapp") {
    return [
      { name: "Mia Becker", phone: "4915123456780" },
      { name: "Tom Fisher", phone: "16505550142" },
      { name: "Noor", username: "noor.h", bsuid: "US.90117422350081" },
    ];
  }
  const start = platform === "messenger" ? "7400112233" : "9182736455";
  return [{ name: "Ana Lima", psid: `${start}445501` }, { name: "Jonas Weber", psid: `${start}445502` }];
}

function save() {
  const { people: all, shop, platform, customer } = state;
  try {
    localStorage.setItem(SAVED, JSON.stringify({ people: all, shop, platform, customer }));
  } catch { /* Private windows may refuse; the choice is then simply forgotten. */ }
}

function drawSide() {
  const shops = [...new Set(state.accounts.map((a) => a.shop))];
  $("shop").replaceChildren(...shops.map((s) => new Option(s, s, false, s === state.shop)));
  const offered = state.accounts.filter((a) => a.shop === state.shop).map((a) => a.platform);
  $("platforms").replaceChildren(...Object.entries(NAMES).map(([platform, name]) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), {
      type: "radio", name: "platform", value: platform, checked: platform === state.platform, disabled: !offered.includes(platform),
    });
    label.append(input, Object.assign(document.createElement("span"), { textContent: name }));
    label.dataset.platform = platform;
    return label;
  }));
  $("customers").replaceChildren(...people().map((p) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.customer = key(p);
    button.setAttribute("aria-pressed", String(key(p) === key(person())));
    const avatar = Object.assign(document.createElement("span"), { className: "avatar", textContent: initials(p.name) });
    avatar.setAttribute("aria-hidden", "true");
    const words = document.createElement("span");
    words.append(Object.assign(document.createElement("strong"), { textContent: p.name }),
      Object.assign(document.createElement("small"), { textContent: handle(p) }));
    button.append(avatar, words);
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  document.body.dataset.platform = state.platform;
  $("shop-name").textContent = state.shop ?? "…";
  $("shop-avatar").textContent = initials(state.shop ?? "?");
  $("me").textContent = `as ${person().name}`;
  save();
}

const initials = (name) => name.split(/\s+/).slice(0, 2).map((w) => w[0] ?? "").join("").toUpperCase();
const handle = (p) => (p.phone ? `+${p.phone}` : p.username ? `@${p.username.replace(/^@/, "")} · no number` : `id ${p.psid}`);

// ---- the chat -----------------------------------------------------------------------------------

let typingTimer = 0;

async function loadChat() {
  const here = account();
  if (!here) return;
  const chosen = key(person());
  const chat = await api(`/control/transcript?account=${here.id}&customer=${encodeURIComponent(chosen)}`);
  if (account()?.id !== here.id || key(person()) !== chosen) return;
  state.clock = Date.now() - chat.now_ms;
  $("chat").classList.remove("live");
  $("chat").replaceChildren();
  if (chat.entries.length === 0) {
    $("chat").append(Object.assign(document.createElement("li"), { className: "hint", textContent: `Say hello to ${state.shop} on ${NAMES[state.platform]}.` }));
  }
  chat.entries.forEach(addEntry);
  typing(chat.typing_until_ms);
  toBottom(true);
  // What was there already does not move in; what comes from now on does.
  requestAnimationFrame(() => $("chat").classList.add("live"));
}

const TICKS = { sent: "✓", delivered: "✓✓", read: "✓✓", failed: "!" };
const RECEIPTS = { sent: "sent", delivered: "delivered", read: "read", failed: "not delivered" };
const UNREADABLE = { audio: "Voice message", video: "Video", document: "note.pdf", unsupported: "A message this app cannot show", raw: "Message", deleted: "This message was deleted" };

function addEntry(entry) {
  $("chat").querySelector(".hint")?.remove();
  if (entry.kind === "reaction") return react(entry);
  const mine = entry.author === "customer";
  const item = document.createElement("li");
  item.className = `bubble ${mine ? "mine" : "theirs"} ${entry.author} kind-${entry.kind}`;
  item.dataset.id = entry.id;
  if (entry.author === "human") item.append(Object.assign(document.createElement("small"), { className: "from", textContent: "a person at the shop" }));
  const body = document.createElement("div");
  body.className = "body";
  if (entry.kind === "image") {
    const link = mine ? "/phone/sample.png" : entry.link;
    if (link && /^(https?:|data:image\/|\/)/.test(link)) body.append(Object.assign(new Image(), { src: link, alt: entry.text ?? "Picture", onload: () => toBottom(false) }));
  }
  if (entry.kind === "sticker") body.append(Object.assign(document.createElement("span"), { className: "sticker", textContent: "👟" }));
  if (entry.kind === "location") {
    body.append(Object.assign(document.createElement("span"), { className: "map", textContent: "📍" }),
      Object.assign(document.createElement("span"), { textContent: entry.text ?? "Location" }));
  } else if (entry.text) {
    body.append(...formatted(entry.text));
  } else if (UNREADABLE[entry.kind]) {
    body.append(Object.assign(document.createElement("em"), { textContent: UNREADABLE[entry.kind] }));
  }
  item.append(body);
  const meta = document.createElement("span");
  meta.className = "meta";
  meta.append(Object.assign(document.createElement("time"), {
    dateTime: new Date(entry.at_ms).toISOString(),
    textContent: new Date(entry.at_ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  }));
  const tick = Object.assign(document.createElement("span"), { className: "tick" });
  meta.append(tick);
  item.append(meta);
  setReceipt(item, mine ? (entry.receipt ?? "delivered") : entry.receipt, mine);
  if (entry.author === "shop" && entry.answered_after_ms !== null) {
    const seconds = (entry.answered_after_ms / 1000).toFixed(entry.answered_after_ms < 10000 ? 2 : 0);
    const note = Object.assign(document.createElement("small"), { className: "took", textContent: `answered in ${seconds} s` });
    note.classList.toggle("late", entry.answered_after_ms > 3000);
    item.append(note);
  }
  if (entry.buttons.length > 0) {
    const row = document.createElement("div");
    row.className = "taps";
    row.append(...entry.buttons.map((b) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: b.title });
      button.addEventListener("click", () => send({ type: "button", id: b.id, title: b.title, reply_to: entry.id }));
      return button;
    }));
    item.append(row);
  }
  $("chat").append(item);
  if (!mine) typing(null);
  else $("chat").append($("chat").querySelector(".typing") ?? "");
}

/** WhatsApp's *bold*, _italic_ and links; everything else is plain text. */
function formatted(text) {
  return text.split(/(\*[^*\n]+\*|_[^_\n]+_|https?:\/\/[^\s]+)/g).filter(Boolean).map((part) => {
    if (/^https?:\/\//.test(part)) return Object.assign(document.createElement("a"), { href: part, textContent: part, target: "_blank", rel: "noopener" });
    if (state.platform === "whatsapp" && /^\*[^*]+\*$/.test(part)) return Object.assign(document.createElement("strong"), { textContent: part.slice(1, -1) });
    if (state.platform === "whatsapp" && /^_[^_]+_$/.test(part)) return Object.assign(document.createElement("em"), { textContent: part.slice(1, -1) });
    return document.createTextNode(part);
  });
}

function setReceipt(item, receipt, mine) {
  const tick = item.querySelector(".tick");
  if (!tick || !receipt) return;
  tick.textContent = TICKS[receipt];
  tick.dataset.receipt = receipt;
  // The shop's messages have ticks on the shop's side; here they are shown small, for whoever tests.
  tick.title = mine ? `${RECEIPTS[receipt]}${receipt === "read" ? " by the shop" : ""}` : `${RECEIPTS[receipt]} to you`;
  tick.setAttribute("aria-label", tick.title);
}

function react(entry) {
  const on = document.querySelector(`[data-id="${CSS.escape(entry.about ?? "")}"]`);
  if (!on) return;
  on.querySelector(".reaction")?.remove();
  if (entry.text) on.append(Object.assign(document.createElement("span"), { className: "reaction", textContent: entry.text }));
}

function typing(untilMs) {
  clearTimeout(typingTimer);
  $("chat").querySelector(".typing")?.remove();
  const left = (untilMs ?? 0) + state.clock - Date.now();
  $("presence").textContent = left > 0 ? "typing…" : "business account";
  if (left <= 0) return;
  const item = Object.assign(document.createElement("li"), { className: "bubble theirs typing" });
  item.setAttribute("aria-label", "The shop is typing");
  item.append(...[1, 2, 3].map(() => document.createElement("i")));
  $("chat").append(item);
  typingTimer = setTimeout(() => typing(null), left);
}

function toBottom(always) {
  const chat = $("chat");
  const near = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 260;
  if (always || near) chat.scrollTop = chat.scrollHeight;
}

// ---- sending and hearing ------------------------------------------------------------------------

async function send(message) {
  const here = account();
  if (!here) return;
  try {
    await api("/control/messages", { method: "POST", body: { account: here.id, customer: person(), message } });
    toBottom(true);
  } catch (error) {
    $("chat").append(Object.assign(document.createElement("li"), { className: "hint error", textContent: error.message }));
    toBottom(true);
  }
}

let events = null;

function listen() {
  events?.close();
  const here = account();
  if (!here) return;
  let dropped = false;
  events = new EventSource(`/phone/events?account=${here.id}`);
  events.addEventListener("open", () => dropped && loadChat());
  events.addEventListener("error", () => { dropped = true; });
  events.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    if (event.change === "reset") return loadChat();
    if (event.customer !== key(person())) return;
    if (event.change === "entry") addEntry(event.entry);
    if (event.change === "typing") typing(event.until_ms);
    if (event.change === "receipt") {
      const item = document.querySelector(`[data-id="${CSS.escape(event.id)}"]`);
      if (item) setReceipt(item, event.receipt, false);
    }
    if (event.change === "seen_by_shop") document.querySelectorAll(".bubble.mine").forEach((b) => setReceipt(b, "read", true));
    toBottom(event.entry?.author === "customer");
  });
}

function change() {
  if (!account()) state.platform = state.accounts.find((a) => a.shop === state.shop)?.platform ?? "whatsapp";
  drawSide();
  listen();
  loadChat().catch((error) => { $("presence").textContent = error.message; });
}

// ---- controls -----------------------------------------------------------------------------------

$("shop").addEventListener("change", (e) => { state.shop = e.target.value; change(); });
$("platforms").addEventListener("change", (e) => { state.platform = e.target.value; state.customer = null; change(); document.querySelector(`#platforms input[value=${state.platform}]`)?.focus(); });
$("customers").addEventListener("click", (e) => {
  const button = e.target.closest("button");
  if (button) { state.customer = button.dataset.customer; change(); $("text").focus(); }
});

function grow() {
  $("text").style.height = "auto";
  // scrollHeight leaves the border out.
  $("text").style.height = `${Math.min($("text").scrollHeight + 2, 140)}px`;
}

$("compose").addEventListener("submit", (e) => {
  e.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  grow();
  send({ type: "text", text });
});
$("text").addEventListener("input", grow);
$("text").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); $("compose").requestSubmit(); }
});
const EXTRAS = { image: { type: "image" }, audio: { type: "audio" }, document: { type: "document" }, sticker: { type: "sticker" }, location: { type: "location", latitude: 52.5208, longitude: 13.4094 } };
document.querySelectorAll("[data-send]").forEach((b) => b.addEventListener("click", () => send(EXTRAS[b.dataset.send])));
document.querySelectorAll("[data-close]").forEach((b) => b.addEventListener("click", () => b.closest("dialog").close()));

$("add").addEventListener("click", () => {
  document.querySelectorAll("#new-customer [data-for]").forEach((f) => { f.hidden = f.dataset.for !== state.platform; });
  $("new-error").textContent = "";
  $("new-customer").showModal();
});
$("new-customer").querySelector("form").addEventListener("submit", (e) => {
  e.preventDefault();
  const f = e.target.elements;
  const one = { name: f.name.value.trim() };
  if (state.platform !== "whatsapp") one.psid = `7${digits(15)}`;
  else if (f.hidden.checked) Object.assign(one, { bsuid: `US.${digits(17)}`, username: f.username.value.trim() || one.name.toLowerCase().replace(/\W+/g, ".") });
  else {
    one.phone = f.phone.value.replace(/[^\d]/g, "");
    if (f.username.value.trim()) one.username = f.username.value.trim();
    if (one.phone.length < 7 || one.phone.length > 15) {
      $("new-error").textContent = "A phone number has 7 to 15 digits, country code first.";
      return f.phone.focus();
    }
  }
  if (!people().some((p) => key(p) === key(one))) people().push(one);
  state.customer = key(one);
  e.target.reset();
  $("new-customer").close();
  change();
  $("text").focus();
});

$("human").addEventListener("click", () => $("human-dialog").showModal());
$("human-dialog").querySelector("form").addEventListener("submit", async (e) => {
  const text = e.target.elements.text.value.trim();
  e.target.reset();
  try {
    await api("/control/echoes", { method: "POST", body: { account: account().id, customer: key(person()), text } });
  } catch (error) {
    $("chat").append(Object.assign(document.createElement("li"), { className: "hint error", textContent: `${error.message}: write to the shop first.` }));
  }
});

async function start() {
  state.accounts = await api("/control/accounts");
  try {
    Object.assign(state, JSON.parse(localStorage.getItem(SAVED) ?? "{}"));
  } catch { /* A spoilt memory is no memory. */ }
  if (!state.accounts.some((a) => a.shop === state.shop)) state.shop = state.accounts[0]?.shop ?? null;
  const settings = await api("/phone/settings");
  if (settings.dashboard_url && /^https?:/.test(settings.dashboard_url)) {
    $("dashboard").href = settings.dashboard_url;
    $("dashboard").hidden = false;
  }
  change();
  await setUpFaults(api);
  $("text").focus();
}

start().catch((error) => { $("presence").textContent = error.message; });

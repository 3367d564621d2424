// The drawer in which things are made to go wrong: one choice per provider, kept by the sandbox.

const failing = (kind, more = {}) => ({ failure: { kind, ...more } });

const CHOICES = {
  gemini: [
    ["Works", {}],
    ["Hangs", failing("hang")],
    ["429, retry in 2 s", failing("rate_limit", { retry_after_ms: 2000 })],
    ["429, quota of the day used up", failing("quota_exhausted")],
    ["500", failing("internal")],
    ["503, overloaded", failing("unavailable")],
    ["Blocked: no candidates", failing("no_candidates")],
    ["Empty answer", failing("no_parts")],
    ["Cut by the token limit", failing("max_tokens")],
    ["Half a JSON document", failing("half_json")],
    ["5 MB of garbage", failing("garbage")],
    ["Connection breaks", failing("cut")],
    ["One byte a second", failing("drip")],
    ["Malformed calls", failing("broken_arguments")],
  ],
  brain: [
    ["Behaves", "none"],
    ["Invents a price", "invent_price"],
    ["Confirms unasked", "confirm_unasked"],
    ["Calls with wrong arguments", "wrong_arguments"],
    ["Uses other customers’ ids", "other_customers_ids"],
    ["Answers nothing", "answer_nothing"],
    ["Calls for ever", "loop"],
  ].map(([label, misbehaviour]) => [label, misbehaviour === "none" ? {} : { misbehaviour }]),
  meta: [
    ["Works", {}],
    ["Slow: 2 s a call", { latency_ms: 2000 }],
    ["500, try again", failing("error", { code: 131000 })],
    ["Throughput limit", failing("error", { code: 130429 })],
    ["Outside the 24 h window", failing("error", { code: 131047 })],
    ["Token expired (190)", failing("error", { code: 190 })],
    ["Never answers", failing("hang")],
    ["Delivers, but never answers", failing("hang_after_accept")],
    ["Accepted, fails later", failing("late_failed", { code: 131026 })],
    ["No receipts or echoes", { no_receipts: true }],
  ],
  webhooks: [
    ["Once each", {}],
    ["Everything three times", { duplicates: 2 }],
    ["Late, up to 3 s", { jitter_ms: 3000 }],
    ["Batched and shuffled", { batch_window_ms: 800, reorder: true }],
    ["With a bad entry", { bad_entry: true }],
    ["Wrong signature", { wrong_signature: true }],
    ["Lost", { drop: true }],
  ],
  smtp: [
    ["Works", {}],
    ["Refuses connections", { failure: "refuse" }],
    ["Try again later", { failure: "temporary" }],
    ["Unknown recipient", { failure: "reject" }],
  ],
};
CHOICES.openai = CHOICES.gemini;

/** JSON with sorted keys and without nulls, to compare by. */
function sorted(value) {
  return JSON.stringify(value, (_, v) => (v && typeof v === "object"
    ? Object.fromEntries(Object.entries(v).filter(([, inner]) => inner !== null).sort()) : v));
}

/** Whether what the sandbox has is this choice: all that is not set is null, 0, false or "none" there. */
function matches(have, choice) {
  const bare = {};
  for (const [key, value] of Object.entries(have)) {
    const unset = value === null || value === 0 || value === false || value === "none";
    if (!unset && key !== "times") bare[key] = value;
  }
  return sorted(bare) === sorted(choice);
}

export async function setUpFaults(api) {
  const dialog = document.getElementById("faults");
  const form = dialog.querySelector("form");
  const error = document.getElementById("faults-error");
  const count = document.getElementById("fault-count");

  for (const [target, choices] of Object.entries(CHOICES)) {
    form.elements[target].replaceChildren(...choices.map(([label], i) => new Option(label, String(i))));
  }

  async function show() {
    const faults = await api("/control/faults");
    let wrong = 0;
    for (const [target, choices] of Object.entries(CHOICES)) {
      const have = { ...faults[target] };
      if (target === "gemini" || target === "openai") {
        form.elements[`${target}_latency`].value = have.latency_ms ?? "";
        wrong += have.latency_ms === null ? 0 : 1;
        delete have.latency_ms;
        delete have.jitter_ms;
      }
      const found = choices.findIndex(([, choice]) => matches(have, choice));
      form.elements[target].selectedIndex = found;
      wrong += found === 0 ? 0 : 1;
    }
    count.hidden = wrong === 0;
    count.textContent = String(wrong);
    count.setAttribute("aria-label", `${wrong} set`);
  }

  async function put(target) {
    const [, choice] = CHOICES[target][Math.max(0, form.elements[target].selectedIndex)];
    const body = structuredClone(choice);
    const latency = form.elements[`${target}_latency`]?.value;
    if (latency) body.latency_ms = Number(latency);
    try {
      error.textContent = "";
      await api(`/control/faults/${target}`, { method: "PUT", body });
      await show();
    } catch (e) {
      error.textContent = e.message;
    }
  }

  form.addEventListener("change", (event) => put(event.target.name.replace("_latency", "")));
  document.getElementById("no-faults").addEventListener("click", async () => {
    await api("/control/faults", { method: "DELETE" });
    await show();
  });
  document.getElementById("open-faults").addEventListener("click", async () => {
    await show();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  await show();
}

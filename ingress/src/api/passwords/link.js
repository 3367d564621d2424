const form = document.querySelector("form");
const said = document.getElementById("said");
const token = location.hash.slice(1);
// Not left in the address bar for whoever looks over a shoulder.
history.replaceState(null, "", location.pathname);
if (!token) said.textContent = "This link is not complete. Open it from the e-mail, or copy all of it.";

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = "One moment…";
  try {
    const body = JSON.stringify({ token, ...Object.fromEntries(new FormData(form)) });
    const answer = await fetch(form.dataset.to, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (answer.ok) {
      form.hidden = true;
      said.textContent = form.dataset.done;
      return;
    }
    const problem = await answer.json();
    const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
    said.textContent = (problem.fields ?? []).map(({ message }) => sentence(message)).join(" ") || problem.detail;
  } catch {
    said.textContent = "We could not be reached. Try again in a moment.";
  }
  button.disabled = false;
});

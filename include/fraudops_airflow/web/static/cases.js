// Comfort for those who work cases: keys in lists, help, forms that are sent once. Everything works without it.
(() => {
  const typing = (element) => element.closest("input, select, textarea, dialog, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-rows] [data-row]")];
  const current = () => document.querySelector("[data-row].current");
  const show = (row) => {
    if (!row) return;
    current()?.classList.remove("current");
    row.classList.add("current");
    row.querySelector("[data-open]").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    const all = rows();
    const at = all.indexOf(current());
    show(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
  };
  const help = () => document.getElementById("keys")?.showModal();
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    a: () => (current()?.querySelector("[data-take]") || document.querySelector("form[data-mine]"))?.requestSubmit(),
    n: () => (document.querySelector("a[data-next]") || document.querySelector("[data-note]"))?.[document.querySelector("a[data-next]") ? "click" : "focus"](),
    u: () => document.querySelector("a[data-up]")?.click(),
    "/": () => document.getElementById("q")?.focus(),
    "?": help,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  // A row that is clicked or tabbed into is the one that keys are about.
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || row === current()) return;
    current()?.classList.remove("current");
    row.classList.add("current");
  });
  // Pressed twice, a form is sent once; what answers with a file leaves the page as it is.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("data-file")) return;
    setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)));
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form button:disabled").forEach((button) => (button.disabled = false));
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-help]")) {
      button.hidden = false;
      button.addEventListener("click", help);
    }
    document.querySelector("[data-refused]")?.focus();
  });
})();

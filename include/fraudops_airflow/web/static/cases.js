// Comfort for those who work cases: keys in lists, help, forms that are sent once. Everything works without it.
(() => {
  const typing = (element) => element.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]");
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
  const picks = () => [...document.querySelectorAll("[data-pick]")];
  const chosen = () => picks().filter((one) => one.checked);
  const tell = () => {
    const form = document.querySelector("[data-bulk]");
    if (!form) return;
    const count = chosen().length;
    const all = form.querySelector("[data-all] input");
    form.querySelector("[data-chosen]").textContent = count ? `${count} chosen` : "Tick cases to assign them together.";
    form.querySelectorAll("button").forEach((button) => (button.disabled = !count));
    all.checked = count > 0 && count === picks().length;
    all.indeterminate = count > 0 && !all.checked;
  };
  const toggle = () => current()?.querySelector("[data-pick]")?.click();
  const take = () => {
    if (chosen().length) return document.querySelector("[data-bulk]").requestSubmit(document.querySelector("[data-mine-all]"));
    (current()?.querySelector("[data-take]") || document.querySelector("form[data-mine]"))?.requestSubmit();
  };
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    x: toggle,
    a: take,
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
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-all]")) picks().forEach((one) => (one.checked = event.target.checked));
    if (event.target.closest("[data-all], [data-pick]")) tell();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form button:disabled").forEach((button) => (button.disabled = false));
    // Going back, a browser ticks again what was ticked.
    tell();
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-all]").forEach((label) => (label.hidden = false));
    tell();
    for (const button of document.querySelectorAll("[data-help]")) {
      button.hidden = false;
      button.addEventListener("click", help);
    }
    document.querySelector("[data-refused]")?.focus();
  });
})();

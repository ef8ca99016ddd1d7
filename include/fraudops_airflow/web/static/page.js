// Two things only: wear Airflow's theme, and let links to Airflow move Airflow instead of this frame.
(() => {
  const own = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let airflow = null;
  try {
    if (window.parent !== window) airflow = window.parent.document.documentElement;
  } catch {
    airflow = null; // framed by a page that is not Airflow
  }
  const wear = () => {
    own.classList.toggle("dark", airflow ? airflow.classList.contains("dark") : system.matches);
    document.dispatchEvent(new Event("fraudops:theme"));
  };
  wear();
  system.addEventListener("change", wear);
  // Paper is white.
  window.addEventListener("beforeprint", () => {
    own.classList.remove("dark");
    document.dispatchEvent(new Event("fraudops:theme"));
  });
  window.addEventListener("afterprint", wear);
  const goToAirflow = (address) => {
    if (!airflow) {
      window.location.assign(address);
      return;
    }
    window.parent.history.pushState(null, "", address);
    window.parent.dispatchEvent(new PopStateEvent("popstate"));
  };
  window.fraudops = Object.assign(window.fraudops || {}, { goToAirflow });
  if (!airflow) return;
  new MutationObserver(wear).observe(airflow, { attributes: true, attributeFilter: ["class"] });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goToAirflow(link.getAttribute("href"));
  });
})();

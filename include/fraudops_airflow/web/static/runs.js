// Starts runs of DAGs from forms: <form data-dag="cards_ingest">, by Airflow's own interface and with its session, so
// that Airflow decides whether the person may, records who did, and this page needs no right of its own.
//
// Fields: name="partition_key", name="note", and name="conf.X" with data-type text (default), number, boolean, lines
// (one value a line), json, choice (checkboxes of one name: a list of those chosen). An empty field is left out. What Airflow answers stands in the form's [role="alert"].
(() => {
  const airflow = () => document.documentElement.dataset.airflow;
  const read = (field) => {
    const value = field.type === "checkbox" ? field.checked : field.value.trim();
    switch (field.dataset.type) {
      case "number":
        return value === "" ? undefined : Number(value);
      case "boolean":
        return typeof value === "boolean" ? value : value === "true";
      case "lines":
        return value === "" ? undefined : value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
      case "json":
        return value === "" ? undefined : JSON.parse(value);
      default:
        return value === "" ? undefined : value;
    }
  };
  const body = (form) => {
    const asked = { logical_date: null, conf: {} };
    for (const field of form.elements) {
      if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
      if (field.dataset.type === "choice") {
        const chosen = (asked.conf[field.name.slice(5)] ??= []);
        if (field.checked) chosen.push(field.value);
        continue;
      }
      const value = read(field);
      if (value === undefined) continue;
      if (field.name.startsWith("conf.")) asked.conf[field.name.slice(5)] = value;
      else if (field.name === "partition_key" || field.name === "note") asked[field.name] = value;
    }
    return asked;
  };
  const words = (detail) =>
    Array.isArray(detail)
      ? detail.map((item) => `${(item.loc || []).slice(1).join(".")}: ${item.msg}`).join("; ")
      : typeof detail === "string"
        ? detail
        : JSON.stringify(detail);
  const ask = async (address, content) => {
    const answer = await fetch(airflow() + address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
    });
    const found = await answer.json().catch(() => ({}));
    if (answer.ok) return found;
    const why = { 401: "Log in to Airflow first.", 403: "Your Airflow role may not start this." }[answer.status];
    throw new Error(why || words(found.detail || found.title || `Airflow answered ${answer.status}.`));
  };
  const started = (form, found) => {
    const path = `/dags/${encodeURIComponent(found.dag_id)}/runs/${encodeURIComponent(found.dag_run_id)}`;
    window.fraudops.goToAirflow(airflow() + path);
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-dag]");
    if (!form) return;
    event.preventDefault();
    const alert = form.querySelector("[role=alert]");
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => (button.disabled = true));
    alert.textContent = "";
    try {
      started(form, await ask(`/api/v2/dags/${encodeURIComponent(form.dataset.dag)}/dagRuns`, body(form)));
    } catch (error) {
      alert.textContent = error.message;
      buttons.forEach((button) => (button.disabled = false));
    }
  });
  window.fraudops = Object.assign(window.fraudops || {}, { askAirflow: ask });
})();

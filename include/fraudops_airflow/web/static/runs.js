// Starts runs of DAGs from forms, by Airflow's own interface and with its session, so that Airflow decides whether the
// person may, records who did, and this page needs no right of its own.
//
// <form data-dag="cards_ingest">: fields name="partition_key", name="note", and name="conf.X" with data-type text
// (default), number, boolean, lines (one value a line), json, choice (checkboxes of
// one name: a list of those chosen); name="conf" with data-type json gives several at once. An
// empty field is left out. <form data-backfill="{…}">: the body of the request. What Airflow answers stands in the form's
// [role="alert"]. How DAGs are, and their last runs, are filled into what asks for it (data-workflow, data-needs,
// data-last-runs, data-dry-run).
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
      if (field.name === "conf") Object.assign(asked.conf, value);
      else if (field.name.startsWith("conf.")) asked.conf[field.name.slice(5)] = value;
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
  const request = async (method, address, content) => {
    const answer = await fetch(airflow() + address, {
      method,
      headers: content === undefined ? {} : { "Content-Type": "application/json" },
      body: content === undefined ? undefined : JSON.stringify(content),
    });
    const found = await answer.json().catch(() => ({}));
    if (answer.ok) return found;
    const why = { 401: "Log in to Airflow first.", 403: "Your Airflow role may not do this." }[answer.status];
    throw new Error(why || words(found.detail || found.title || `Airflow answered ${answer.status}.`));
  };
  const ask = (address, content) => request("POST", address, content);
  const dag = (id) => `/dags/${encodeURIComponent(id)}`;
  const run = (found) => `${dag(found.dag_id)}/runs/${encodeURIComponent(found.dag_run_id)}`;
  const go = (path) => window.fraudops.goToAirflow(airflow() + path);

  // -- starting -----------------------------------------------------------------------------------------------------
  const send = async (form) => {
    if (form.dataset.dag) return go(run(await ask(`/api/v2${dag(form.dataset.dag)}/dagRuns`, body(form))));
    const asked = JSON.parse(form.dataset.backfill);
    await ask("/api/v2/backfills", asked);
    return go(`${dag(asked.dag_id)}/runs`);
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-dag], form[data-backfill]");
    if (!form) return;
    event.preventDefault();
    const alert = form.querySelector("[role=alert]");
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => (button.disabled = true));
    alert.textContent = "";
    try {
      await send(form);
    } catch (error) {
      alert.textContent = error.message;
    }
    // Also where it went well: Airflow may come back to this very page.
    buttons.forEach((button) => (button.disabled = false));
  });

  // -- how DAGs and runs are ----------------------------------------------------------------------------------------
  const tones = { success: "good", failed: "bad", running: "wait", queued: "wait" };
  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const tag = (state) => element("span", { className: `tag ${tones[state] || ""}`, textContent: state });
  const when = (text) =>
    text ? element("time", { dateTime: text, textContent: `${new Date(text).toISOString().slice(0, 16).replace("T", " ")} UTC` }) : "–";
  const link = (path, text) => {
    const made = element("a", { href: airflow() + path, textContent: text });
    made.dataset.airflow = "";
    return made;
  };
  const lastRuns = async (id, limit) =>
    (await request("GET", `/api/v2${dag(id)}/dagRuns?limit=${limit}&order_by=-run_after`)).dag_runs;
  const paused = async (id) => (await request("GET", `/api/v2${dag(id)}`)).is_paused;

  const fill = (row, isPaused, last) => {
    const state = isPaused ? "paused" : "on";
    row.querySelector("[data-paused]").replaceChildren(element("span", { className: `tag ${isPaused ? "wait" : ""}`, textContent: state }));
    const button = row.querySelector("[data-turn-on]");
    if (button) button.hidden = !isPaused;
    row.querySelector("[data-last]").replaceChildren(...(last ? [tag(last.state), " ", link(run(last), last.partition_key || "open")] : ["none yet"]));
    row.querySelector("[data-when]").replaceChildren(last ? when(last.start_date || last.run_after) : "–");
  };
  const showWorkflow = async (row) => {
    const id = row.dataset.workflow;
    const [isPaused, [last]] = await Promise.all([paused(id), lastRuns(id, 1)]);
    fill(row, isPaused, last);
  };
  // Two questions for all of them; one more for each whose last run is not among the newest hundred.
  const showWorkflows = async () => {
    const rows = [...document.querySelectorAll("[data-workflow]")];
    if (!rows.length) return;
    const ids = rows.map((row) => row.dataset.workflow);
    const tags = `tags=fraudops&tags=${encodeURIComponent(document.querySelector("[data-portfolio]").dataset.portfolio)}`;
    try {
      const [dags, newest] = await Promise.all([
        request("GET", `/api/v2/dags?${tags}&tags_match_mode=all&limit=100`),
        ask("/api/v2/dags/~/dagRuns/list", { dag_ids: ids, order_by: "-run_after", page_limit: 100 }),
      ]);
      const state = new Map(dags.dags.map((found) => [found.dag_id, found.is_paused]));
      for (const row of rows) {
        const id = row.dataset.workflow;
        if (!state.has(id)) {
          row.querySelector("[data-last]").replaceChildren("Airflow does not know it (yet).");
          continue;
        }
        const last = newest.dag_runs.find((found) => found.dag_id === id) || (await lastRuns(id, 1))[0];
        fill(row, state.get(id), last);
      }
    } catch (error) {
      document.querySelector("[data-airflow-problem]").textContent = error.message;
    }
  };
  const showLastRuns = async (section) => {
    const found = await lastRuns(section.dataset.lastRuns, 5).catch(() => []);
    if (!found.length) return;
    const cells = (one) => [link(run(one), one.dag_run_id), tag(one.state), one.partition_key || "–", one.triggering_user_name || one.run_type, when(one.start_date || one.run_after)];
    section.querySelector("tbody").replaceChildren(
      ...found.map((one) => element("tr", {}, ...cells(one).map((cell, at) => element("td", { className: at ? "" : "mono" }, cell)))),
    );
    section.hidden = false;
  };
  const showPaused = async (needs) => {
    const template = needs.querySelector("template");
    for (const id of needs.dataset.needs.split(/\s+/).filter(Boolean)) {
      if (!(await paused(id).catch(() => false))) continue;
      const copy = template.content.cloneNode(true);
      copy.querySelector("[data-dag-id]").textContent = id;
      const first = id === needs.dataset.first;
      copy.querySelector("[data-consequence]").textContent = first
        ? "its run would wait until somebody turns it on."
        : "what it would do is left to reconcile.";
      const button = copy.querySelector("[data-turn-on]");
      if (button) button.dataset.turnOn = id;
      needs.append(copy);
    }
  };
  const showDryRun = async (place) => {
    try {
      const found = await ask("/api/v2/backfills/dry_run", JSON.parse(place.dataset.dryRun));
      const keys = found.backfills.map((one) => one.partition_key || (one.logical_date || "").slice(0, 10));
      place.textContent = keys.length
        ? `Airflow would make ${keys.length} ${keys.length === 1 ? "run" : "runs"}: ${keys.length > 4 ? `${keys[0]}, ${keys[1]}, … ${keys.at(-1)}` : keys.join(", ")}.`
        : "Airflow would make no run: it has run all of them. Choose another “Which”.";
    } catch (error) {
      place.textContent = `Airflow does not say which runs it would make: ${error.message}`;
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-turn-on]");
    if (!button) return;
    button.disabled = true;
    const told = button.closest(".message");
    const row = button.closest("[data-workflow]");
    try {
      await request("PATCH", `/api/v2${dag(button.dataset.turnOn)}?update_mask=is_paused`, { is_paused: false });
      if (told) told.remove();
      if (row) await showWorkflow(row);
    } catch (error) {
      const place = told || document.querySelector("[data-airflow-problem]");
      if (told) told.append(` ${error.message}`);
      else place.textContent = error.message;
    }
    button.disabled = false;
  });

  // -- what will happen, while fields are filled in ---------------------------------------------------------------------
  const wake = () => {
    document.querySelectorAll("[data-needs]").forEach(showPaused);
    document.querySelectorAll("[data-dry-run]").forEach(showDryRun);
    document.querySelectorAll("#go").forEach((button) => (button.disabled = false));
  };
  let asked = 0;
  // Sent: whether the person has asked for it; until then an empty field is one that is still to be filled in.
  const plan = async (form, sent) => {
    const mine = ++asked;
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    const section = document.getElementById("plan");
    section.setAttribute("aria-busy", "true");
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("plan");
    if (mine !== asked) return;
    if (!found) return window.location.assign(address);
    section.replaceWith(document.adoptNode(found));
    for (const field of form.querySelectorAll(".field")) {
      const named = field.querySelector("[name]");
      const other = named && page.querySelector(`form[data-plan] [name="${named.name}"]`);
      const here = field.querySelector(".problem");
      const there = other && other.closest(".field").querySelector(".problem");
      if (here) here.remove();
      field.classList.toggle("wrong", Boolean(there && (sent || named.value)));
      if (there && (sent || named.value)) field.querySelector(".hint").before(document.adoptNode(there));
    }
    window.history.replaceState(null, "", address);
    wake();
  };
  for (const form of document.querySelectorAll("form[data-plan]")) {
    form.addEventListener("input", () => document.querySelectorAll("#go").forEach((button) => (button.disabled = true)));
    form.addEventListener("change", () => plan(form, false));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      plan(form, true);
    });
  }
  wake();
  showWorkflows();
  document.querySelectorAll("[data-last-runs]").forEach(showLastRuns);
})();

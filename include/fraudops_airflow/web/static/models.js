// Two things of the pages of models: the slider over a threshold, and the answer to a waiting approval.

// -- the slider: the numbers of both versions, and the marks on the curves, for every threshold --------------------
(() => {
  const found = document.getElementById("curve-tables");
  if (!found) return;
  const data = JSON.parse(found.textContent);
  const [by, at, range] = ["by", "at", "range"].map((id) => document.getElementById(id));
  const STEPS = 1000;
  const logit = (p) => Math.log(p / (1 - p));
  const inside = (p) => Math.min(Math.max(p, 1e-6), 1 - 1e-6);

  // The last place whose value does not lie beyond what is asked for; -1: none.
  const place = (values, fits) => {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (fits(values[middle])) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  const operating = (curve, value) => {
    const k =
      by.value === "alerts"
        ? place(curve.flagged, (flagged) => flagged <= value * curve.days + 1e-9)
        : place(curve.threshold, (score) => score >= value);
    const flagged = k < 0 ? 0 : curve.flagged[k];
    const caught = k < 0 ? 0 : curve.caught[k];
    const cost = curve.cost_minor ? (k < 0 ? curve.allowing_minor : curve.cost_minor[k]) : null;
    const value_caught = curve.caught_minor ? (k < 0 ? 0 : curve.caught_minor[k]) : null;
    return {
      threshold: k < 0 ? null : curve.threshold[k],
      alerts_a_day: flagged / (curve.days || 1),
      precision: flagged ? caught / flagged : null,
      recall: curve.positives ? caught / curve.positives : null,
      missed_minor: value_caught === null ? null : curve.fraud_minor - value_caught,
      cost_minor: cost,
      saved_minor: cost === null ? null : curve.without_minor - cost,
      false_alarms: (flagged - caught) / Math.max(curve.n - curve.positives, 1),
    };
  };
  const decimals = (digits) => (value) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const share = (value) => `${decimals(1)(100 * value)}%`;
  const money = (value) => decimals(0)(value / data.unit);
  const FORMS = {
    threshold: (value) => String(Number(value.toPrecision(4))),
    alerts_a_day: decimals(1),
    precision: share,
    recall: share,
    missed_minor: money,
    cost_minor: money,
    saved_minor: money,
  };
  const cell = (key, column) => document.querySelector(`[data-cell="${key}-${column}"]`);
  const write = (both) => {
    for (const [key, form] of Object.entries(FORMS)) {
      if (!cell(key, 0)) continue;
      const values = both.map((one) => one[key]);
      values.forEach((value, column) => (cell(key, column).textContent = value === null ? "–" : form(value)));
      const difference = cell(key, 2);
      if (!difference || key === "threshold") continue;
      const less = values.includes(null) ? null : values[1] - values[0];
      // Shares differ by points, not by per cent of themselves.
      const far = less === null ? "" : form(Math.abs(less)).replace("%", " points");
      difference.textContent = less === null ? "–" : `${less > 0 ? "+" : less < 0 ? "−" : "±"}${far}`;
    }
  };
  const MARKS = {
    roc: (one) => [one.false_alarms, one.recall],
    "precision-recall": (one) => [one.recall, one.precision],
    cost: (one) => [one.alerts_a_day || null, one.cost_minor === null ? null : one.cost_minor / data.unit],
  };
  const move = (both) => {
    for (const [id, where] of Object.entries(MARKS)) {
      const chart = document.getElementById(id);
      if (!chart || !window.fraudopsChart) continue;
      window.fraudopsChart(chart, (figure) => {
        for (const trace of figure.traces.filter((one) => one.meta && "mark" in one.meta)) {
          const [x, y] = where(both[trace.meta.mark]);
          trace.x = [x];
          trace.y = [y];
        }
      });
    }
  };

  // A slider's step is a step of log-odds (of the score) or of the logarithm (of alerts): thresholds that matter are small.
  const ends = () => {
    if (by.value === "alerts") {
      const days = Math.max(...data.curves.map((curve) => curve.days || 1));
      return [Math.log(1 / days), Math.log(Math.max(...data.curves.map((curve) => curve.n / (curve.days || 1))))];
    }
    const all = data.curves.flatMap((curve) => [curve.threshold[0], curve.threshold[curve.threshold.length - 1]]);
    return [logit(inside(Math.min(...all))), logit(inside(Math.max(...all)))];
  };
  const toStep = (value) => {
    const [low, high] = ends();
    const inner = by.value === "alerts" ? Math.log(Math.max(value, 1e-6)) : logit(inside(value));
    return Math.round((STEPS * (inner - low)) / (high - low || 1));
  };
  const fromStep = (step) => {
    const [low, high] = ends();
    const inner = low + ((high - low) * step) / STEPS;
    const value = by.value === "alerts" ? Math.exp(inner) : 1 / (1 + Math.exp(-inner));
    return Number(value.toPrecision(4));
  };

  let waiting = false;
  const show = () => {
    const value = Number(at.value);
    if (!Number.isFinite(value) || value < 0 || at.value.trim() === "") return;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const both = data.curves.map((curve) => operating(curve, Number(at.value)));
      write(both);
      move(both);
      range.setAttribute(
        "aria-valuetext",
        by.value === "alerts" ? `at most ${at.value} alerts a day` : `score ${at.value} or more`,
      );
    });
  };
  range.disabled = false;
  range.closest(".range").hidden = false;
  range.value = toStep(Number(at.value));
  range.addEventListener("input", () => {
    at.value = fromStep(Number(range.value));
    show();
  });
  at.addEventListener("input", () => {
    range.value = toStep(Number(at.value));
    show();
  });
  by.addEventListener("change", () => {
    // The same place of the second version, in the other unit.
    const curve = data.curves[1];
    const value = Number(at.value);
    if (by.value === "alerts") {
      const k = place(curve.threshold, (score) => score >= value);
      at.value = Number(((k < 0 ? 0 : curve.flagged[k]) / (curve.days || 1)).toPrecision(4));
    } else {
      const k = Math.max(place(curve.flagged, (flagged) => flagged <= value * curve.days + 1e-9), 0);
      at.value = Number(curve.threshold[k].toPrecision(4));
    }
    range.value = toStep(Number(at.value));
    show();
  });
  document.getElementById("slider").addEventListener("submit", () => {
    // The address keeps what was chosen, so that it can be sent to somebody.
    if (at.value.trim() === "") at.disabled = true;
  });
})();

// -- the answer: by Airflow's own interface and with its session, so that Airflow checks and records who answers ----
(() => {
  const form = document.querySelector("form[data-answer]");
  if (!form) return;
  const airflow = document.documentElement.dataset.airflow;
  const dag = `${airflow}/api/v2/dags/${encodeURIComponent(form.dataset.answer)}`;
  const [alert, status] = ["alert", "status"].map((role) => form.querySelector(`[role=${role}]`));
  const buttons = [...form.querySelectorAll("button")];
  const usable = (yes) => buttons.forEach((button) => (button.disabled = !yes));
  const ask = async (address, content) => {
    const answer = await fetch(
      address,
      content && {
        method: "PATCH",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(content),
      },
    );
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) return said;
    const detail = typeof said.detail === "string" ? said.detail : JSON.stringify(said.detail ?? answer.status);
    throw new Error(
      { 401: "Log in to Airflow first.", 409: "Somebody has answered already: load the page again." }[answer.status] ||
        (answer.status === 403 ? `Airflow does not take your answer: ${detail}` : detail),
    );
  };
  const path = (run) => `${dag}/dagRuns/${encodeURIComponent(run)}`;
  const isMine = async (detail) => {
    const run = detail.task_instance.dag_run_id;
    if (run === form.dataset.run) return true;
    return ((await ask(path(run))).conf || {}).run_id === form.dataset.verdict; // started by a person
  };
  let task = null;
  const look = async () => {
    const open = await ask(`${dag}/dagRuns/~/hitlDetails?response_received=false&state=awaiting_input&limit=100`);
    for (const detail of open.hitl_details) if (await isMine(detail)) task = detail.task_instance;
    usable(Boolean(task));
    status.textContent = task
      ? ""
      : "Airflow has no open question about it just now: it is being put, or has just been answered. Load the page again in a moment.";
  };
  const PAUSE = 2000;
  const LONGEST = 300;
  const follow = async (run) => {
    for (let looked = 0; looked < LONGEST; looked += 1) {
      const { state } = await ask(path(run));
      if (state === "success") return window.location.reload();
      if (state === "failed") throw new Error(`The run ${run} failed: its log in Airflow says why.`);
      status.textContent = `Your answer is recorded. Airflow carries it out (${state}) …`;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    status.textContent = "Your answer is recorded; Airflow is still carrying it out. Load the page again later.";
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const option = event.submitter ? event.submitter.value : "";
    const reason = form.elements.reason.value.trim();
    if (!task || !["Approve", "Reject"].includes(option)) return;
    if (reason.length < 5) {
      alert.textContent = "Say why, in at least five characters.";
      form.elements.reason.focus();
      return;
    }
    usable(false);
    alert.textContent = "";
    status.textContent = "Giving the answer to Airflow …";
    try {
      const run = path(task.dag_run_id);
      await ask(`${run}/taskInstances/${encodeURIComponent(task.task_id)}/${task.map_index}/hitlDetails`, {
        chosen_options: [option],
        params_input: { reason },
      });
      form.elements.reason.readOnly = true;
      await follow(task.dag_run_id);
    } catch (error) {
      status.textContent = "";
      alert.textContent = error.message;
      usable(!form.elements.reason.readOnly);
    }
  });
  look().catch((error) => {
    status.textContent = "";
    alert.textContent = error.message;
  });
})();

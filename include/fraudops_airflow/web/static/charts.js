// Draws the charts of a page with Plotly, in the colours of the page's theme, and draws them anew when that changes.
// A chart is <div class="chart" data-chart="ID"> beside <script type="application/json" id="ID">.
(() => {
  const style = () => getComputedStyle(document.documentElement);
  const dashed = (value, css) =>
    typeof value === "string" && value.startsWith("@")
      ? css.getPropertyValue(`--${value.slice(1)}`).trim()
      : Array.isArray(value)
        ? value.map((item) => dashed(item, css))
        : value && typeof value === "object"
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, dashed(item, css)]))
          : value;
  const axis = (css, given) => ({
    gridcolor: css.getPropertyValue("--line").trim(),
    linecolor: css.getPropertyValue("--soft").trim(),
    zeroline: false,
    automargin: true,
    ...given,
  });
  const draw = (place) => {
    const css = style();
    const { traces, layout, height } = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const own = dashed(layout, css);
    return window.Plotly.react(
      place,
      dashed(traces, css),
      {
        height,
        margin: { l: 56, r: 16, t: 12, b: 44 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: css.fontFamily || "system-ui", size: 12, color: css.getPropertyValue("--text").trim() },
        legend: { orientation: "h", y: 1.12 },
        hovermode: "closest",
        ...own,
        xaxis: axis(css, own.xaxis),
        yaxis: axis(css, own.yaxis),
      },
      { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] },
    );
  };
  const all = () => document.querySelectorAll(".chart[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("fraudops:theme", all);
  window.fraudopsChart = draw; // for pages that change a chart's data
})();

// Draws the charts of a page with Plotly, in the colours of the page's theme, and draws them anew when that changes,
// when the page is printed, or when its data do. A chart is <div class="chart" data-chart="ID"> beside
// <script type="application/json" id="ID">.
(() => {
  const figures = new Map(); // place → what its script element says, as other scripts have changed it since
  const narrow = () => window.innerWidth < 640;
  const coloured = (value, css) =>
    typeof value === "string" && value.startsWith("@")
      ? css.getPropertyValue(`--${value.slice(1)}`).trim()
      : Array.isArray(value)
        ? value.map((item) => coloured(item, css))
        : value && typeof value === "object"
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, css)]))
          : value;
  const axis = (css, given) => ({
    gridcolor: css.getPropertyValue("--line").trim(),
    linecolor: css.getPropertyValue("--soft").trim(),
    zeroline: false,
    automargin: true,
    ...given,
    title: given && given.title ? { standoff: 8, font: { size: 12 }, ...given.title } : undefined,
  });
  const figureOf = (place) => {
    if (!figures.has(place)) figures.set(place, JSON.parse(document.getElementById(place.dataset.chart).textContent));
    return figures.get(place);
  };
  const draw = (place) => {
    const css = getComputedStyle(document.documentElement);
    const { traces, layout, height } = figureOf(place);
    const own = coloured(layout, css);
    return window.Plotly.react(
      place,
      coloured(traces, css),
      {
        height,
        margin: { l: 48, r: 12, t: 8, b: 40 },
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: css.getPropertyValue("--text").trim() },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
        hovermode: "closest",
        hoverlabel: { bgcolor: css.getPropertyValue("--raised").trim(), font: { color: css.getPropertyValue("--text").trim() } },
        uirevision: "kept", // what a reader has zoomed to stays when the data or the theme change
        ...own,
        xaxis: axis(css, own.xaxis),
        yaxis: axis(css, own.yaxis),
      },
      {
        responsive: true,
        displaylogo: false,
        displayModeBar: narrow() ? false : undefined, // it would lie on the legend, and fingers zoom by themselves
        modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
      },
    );
  };
  const all = () => window.Plotly && document.querySelectorAll(".chart[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("fraudops:theme", all);
  // For pages that change a chart's data: change(figure) gets { traces, layout } and may alter both.
  window.fraudopsChart = (place, change) => {
    if (change) change(figureOf(place));
    return window.Plotly ? draw(place) : undefined;
  };
})();

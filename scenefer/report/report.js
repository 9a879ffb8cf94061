// Draws the figures of the report, labels their scenes as there is room, and moves along the film by buttons.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = matchMedia("(max-width: 640px)");
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  const range = (plot) => plot.layout.xaxis.range;

  const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const clock = (seconds) => {
    const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const tenth = seconds - whole > 0.05 ? (seconds - whole).toFixed(1).slice(1) : "";
    return (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${pad(whole % 60)}${tenth}`;
  };

  function ticks(plot) {
    const [from, to] = range(plot);
    const step = steps.find((size) => (to - from) / size <= plot.clientWidth / 90) || 7200;
    const values = [];
    for (let k = Math.ceil(from / step); k * step <= to; k += 1) values.push(k * step);
    return { "xaxis.tickvals": values, "xaxis.ticktext": values.map(clock) };
  }

  function labels(plot) {
    const { scenes } = figures[plot.id];
    const [from, to] = range(plot);
    const pixels = (plot.clientWidth - 56) / (to - from);
    return scenes.flatMap(([name, start, end]) => {
      const left = Math.max(start, from), right = Math.min(end, to);
      const room = Math.floor(((right - left) * pixels - 8) / 6.4);
      if (room < 3) return [];
      const short = name.length > room ? name.slice(0, room - 1) + "…" : name;
      return [{
        text: plain(short), x: left, y: 1, xref: "x", yref: "paper", xanchor: "left", yanchor: "bottom",
        xshift: 4, yshift: 2, showarrow: false, captureevents: false,
      }];
    });
  }

  function label(plot) {
    const wanted = { annotations: labels(plot), ...ticks(plot) };
    const key = JSON.stringify(wanted);
    if (plot.dataset.labels === key) return;
    plot.dataset.labels = key;
    Plotly.relayout(plot, wanted);
  }

  function goTo(plot, time) {
    const scene = figures[plot.id].scenes.find(([, start, end]) => start <= time && time < end);
    if (scene) location.hash = `scene-${scene[3]}`;
  }

  async function draw(name) {
    const plot = document.getElementById(name);
    if (!plot) return;
    const { data, layout, height } = figures[name];
    // On a touch screen dragging scrolls the page; the buttons zoom.
    Object.assign(layout, { height, dragmode: narrow.matches ? false : "zoom" });
    await Plotly.newPlot(plot, data, layout, { displayModeBar: false, responsive: true, doubleClick: "reset" });
    plot.on("plotly_relayout", () => label(plot));
    plot.on("plotly_click", (event) => goTo(plot, event.points[0].x));
    new ResizeObserver(() => label(plot)).observe(plot);
    label(plot);
    plot.dataset.drawn = "yes";
  }

  function move(button) {
    const plot = document.getElementById(button.dataset.figure);
    const last = plot.layout.xaxis.maxallowed;
    const [from, to] = range(plot);
    const width = to - from, middle = (from + to) / 2;
    const wanted = {
      back: [from - width / 2, width], on: [from + width / 2, width],
      in: [middle - width / 4, width / 2], out: [middle - width, width * 2], all: [0, last],
    }[button.dataset.move];
    const size = clamp(wanted[1], Math.min(2, last), last);
    const start = clamp(wanted[0], 0, last - size);
    Plotly.relayout(plot, { "xaxis.range": [start, start + size] });
  }

  document.querySelectorAll("button[data-figure]").forEach((button) =>
    button.addEventListener("click", () => move(button)));
  Object.keys(figures).forEach(draw);
})();

// Draws the figures of the report, labels their scenes as there is room, and moves along the film by buttons.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = matchMedia("(max-width: 640px)");
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  const clock = (seconds) => {
    const whole = Math.floor(seconds), pad = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const tenth = seconds - whole > 0.05 ? (seconds - whole).toFixed(1).slice(1).replace(".", figures.decimal) : "";
    return (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${pad(whole % 60)}${tenth}`;
  };

  function ticks([from, to], width) {
    const step = steps.find((size) => (to - from) / size <= width / 90) || 7200;
    const values = [];
    for (let k = Math.ceil(from / step); k * step <= to; k += 1) values.push(k * step);
    return { tickvals: values, ticktext: values.map(clock) };
  }

  function labels(scenes, [from, to], width) {
    const pixels = (width - 56) / (to - from);
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
    const span = plot.layout.xaxis.range, width = plot.clientWidth;
    const key = [...span, width].join();
    if (plot.dataset.labelled === key) return;
    plot.dataset.labelled = key;
    const { tickvals, ticktext } = ticks(span, width);
    const annotations = labels(figures[plot.id].scenes, span, width);
    Plotly.relayout(plot, { annotations, "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
  }

  function goTo(plot, time) {
    const scene = figures[plot.id].scenes.find(([, start, end]) => start <= time && time < end);
    if (scene) location.hash = `scene-${scene[3]}`;
  }

  async function draw(name) {
    const plot = document.getElementById(name);
    if (!plot || plot.dataset.drawn) return;
    plot.dataset.drawn = "soon";
    const { data, layout, height, scenes } = figures[name];
    // On a touch screen dragging scrolls the page; the buttons zoom.
    const width = plot.clientWidth, span = layout.xaxis.range;
    Object.assign(layout.xaxis, ticks(span, width));
    Object.assign(layout, { height, dragmode: narrow.matches ? false : "zoom", annotations: labels(scenes, span, width) });
    plot.dataset.labelled = [...span, width].join();
    await Plotly.newPlot(plot, data, layout, { displayModeBar: false, responsive: true, doubleClick: "reset" });
    plot.on("plotly_relayout", () => label(plot));
    plot.on("plotly_click", (event) => goTo(plot, event.points[0].x));
    new ResizeObserver(() => label(plot)).observe(plot);
    plot.dataset.drawn = "yes";
  }

  function move(button) {
    const plot = document.getElementById(button.dataset.figure);
    const last = plot.layout.xaxis.maxallowed;
    const [from, to] = plot.layout.xaxis.range;
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
  // Paper is narrower than the window that the figures were drawn for, and may be asked for before all are drawn.
  const resize = (size) => document.querySelectorAll(".plot[data-drawn=yes]").forEach((plot) => Plotly.relayout(plot, size));
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".plot:not([data-drawn])").forEach((plot) => draw(plot.id));
    resize({ autosize: false, width: 840 });
  });
  window.addEventListener("afterprint", () => resize({ autosize: true, width: null }));

  // The figures lie further down: they are drawn when the first screen has been shown.
  const soon = window.requestIdleCallback || setTimeout;
  ["arc", "lanes"].forEach((name) => soon(() => draw(name)));
})();

// Draws the figures of the report, labels their scenes as there is room, and moves along the film by buttons.
(() => {
  "use strict";
  const ON_PAPER = { autosize: false, width: 840 }; // px: paper is narrower than the window
  const drawings = new Map();
  let figures = null, onPaper = false;
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

  // Plotly and what it draws wait as text until a figure is wanted: the report of a long film stands a second sooner.
  function begin() {
    if (figures) return;
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly").textContent;
    document.head.append(script);
    figures = JSON.parse(document.getElementById("figures").textContent);
  }

  function draw(plot) {
    if (!drawings.has(plot)) drawings.set(plot, drawing(plot));
    return drawings.get(plot);
  }

  async function drawing(plot) {
    begin();
    const { data, layout, height, scenes } = figures[plot.id];
    // On a touch screen dragging scrolls the page; the buttons zoom.
    const width = onPaper ? ON_PAPER.width : plot.clientWidth, span = layout.xaxis.range;
    Object.assign(layout.xaxis, ticks(span, width));
    Object.assign(layout, { height, dragmode: narrow.matches ? false : "zoom", annotations: labels(scenes, span, width) });
    plot.dataset.labelled = [...span, width].join();
    const standing = Plotly.newPlot(plot, data, layout, { displayModeBar: false, responsive: true, doubleClick: "reset" });
    if (onPaper) Plotly.relayout(plot, ON_PAPER); // now: paper does not wait
    await standing;
    plot.on("plotly_relayout", () => label(plot));
    plot.on("plotly_click", (event) => goTo(plot, event.points[0].x));
    new ResizeObserver(() => label(plot)).observe(plot);
    plot.dataset.drawn = "yes";
  }

  async function move(button) {
    const plot = document.getElementById(button.dataset.figure);
    await draw(plot);
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
  const plots = document.querySelectorAll(".plot");
  const resize = (size) => plots.forEach((plot) => plot.dataset.drawn && Plotly.relayout(plot, size));
  window.addEventListener("beforeprint", () => {
    onPaper = true;
    resize(ON_PAPER);
    plots.forEach(draw); // paper may be asked for before all are drawn
  });
  window.addEventListener("afterprint", () => {
    onPaper = false;
    Promise.all(drawings.values()).then(() => resize({ autosize: true, width: null }));
  });

  // A figure is drawn when it comes within a screen of the window, and not before the first screen has been shown.
  const soon = window.requestIdleCallback || setTimeout;
  const near = new IntersectionObserver((places) => places.forEach(({ isIntersecting, target }) => {
    if (!isIntersecting) return;
    near.unobserve(target);
    soon(() => draw(target));
  }), { rootMargin: "100% 0px" });
  plots.forEach((plot) => near.observe(plot));
})();

// Draws the figures of the report, labels their scenes as there is room, and moves along the film by buttons.
(() => {
  "use strict";
  const ON_PAPER = { autosize: false, width: 840 }; // px: paper is narrower than the window
  const MARGINS = 56; // px: left and right of what is drawn
  const drawings = new Map();
  let figures = null, onPaper = false;
  const narrow = matchMedia("(max-width: 640px)");
  const widthOf = (plot) => (onPaper ? ON_PAPER.width : plot.clientWidth); // px that its figure takes
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

  // The names of the scenes, the bands behind them and the ribbon above, in the detail that there is room for.
  function scenes(plot, span, width) {
    const figure = figures[plot.id], room = width - MARGINS;
    return { annotations: sceneDetail.labels(figure.scenes, span, room), shapes: sceneDetail.shapes(figure, span, room) };
  }

  // Of a long film in view, coarse curves are drawn: fine ones could not be told apart.
  const curves = (plot, [from, to]) => (to - from > (figures[plot.id].coarse?.beyond ?? Infinity) ? "coarse" : "fine");
  function columns(plot, level) {
    const { coarse, data } = figures[plot.id];
    if (level === "coarse") return coarse.columns;
    return Object.fromEntries(Object.keys(coarse.columns).map((name) => [name, data.map((trace) => trace[name])]));
  }

  function label(plot) {
    const span = plot.layout.xaxis.range, width = widthOf(plot);
    const key = [...span, width].join();
    if (plot.dataset.labelled === key) return;
    plot.dataset.labelled = key;
    document.dispatchEvent(new Event("figure:moved"));
    const { tickvals, ticktext } = ticks(span, width), level = curves(plot, span);
    if (level !== plot.dataset.curves) {
      plot.dataset.curves = level;
      Plotly.restyle(plot, columns(plot, level));
    }
    Plotly.relayout(plot, { ...scenes(plot, span, width), "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
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
    const { data, layout, height } = figures[plot.id];
    // On a touch screen dragging scrolls the page; the buttons zoom.
    const width = widthOf(plot), span = layout.xaxis.range;
    Object.assign(layout.xaxis, ticks(span, width));
    const begun = { ...layout, height, dragmode: narrow.matches ? false : "zoom", ...scenes(plot, span, width) };
    plot.dataset.labelled = [...span, width].join();
    plot.dataset.curves = curves(plot, span);
    const { x, y, text } = plot.dataset.curves === "coarse" ? columns(plot, "coarse") : {};
    const drawn = x ? data.map((trace, k) => ({ ...trace, x: x[k], y: y[k], text: text[k] })) : data;
    const standing = Plotly.newPlot(plot, drawn, begun, { displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false });
    if (onPaper) Plotly.relayout(plot, ON_PAPER); // now: paper does not wait
    await standing;
    plot.on("plotly_relayout", () => label(plot));
    plot.on("plotly_click", ({ event, points }) => {
      // Where a film was given, it plays from there (player.js); else the click leads to the scene.
      const { margin, xaxis: { range: [from, to] } } = plot.layout, room = plot.clientWidth - margin.l - margin.r;
      const time = from + ((event.clientX - plot.getBoundingClientRect().left - margin.l) / room) * (to - from);
      const asked = new CustomEvent("figure:click", { detail: clamp(time, from, to), cancelable: true });
      if (document.dispatchEvent(asked)) goTo(plot, points[0].x);
    });
    new ResizeObserver(() => label(plot)).observe(plot);
    plot.dataset.drawn = "yes";
    document.dispatchEvent(new Event("figure:moved"));
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

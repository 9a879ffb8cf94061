// A long film's scenes: which cards are listed and in which order, and that a card opens where a link leads to it.
(() => {
  "use strict";
  const cards = [...document.querySelectorAll(".card.folded")];
  if (!cards.length) return; // of few scenes, all stand open
  const tools = document.querySelector(".scene-tools");
  const tool = (name) => tools.querySelector(`[data-tool=${name}]`);
  const place = new Map(cards.map((card, k) => [card, k]));
  const name = (card) => card.querySelector("h3").textContent;
  const details = (card) => card.querySelector("details");
  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;

  const shows = {
    all: () => true,
    mismatch: ({ dataset }) => dataset.verdict === "mismatch",
    doubt: ({ dataset }) => dataset.verdict === "mismatch" || dataset.verdict === "partial",
    unjudged: ({ dataset }) => "thin" in dataset,
  };
  const orders = {
    film: (a, b) => place.get(a) - place.get(b),
    gap: (a, b) => b.dataset.gap - a.dataset.gap || place.get(a) - place.get(b),
    name: (a, b) => compare(name(a), name(b)) || place.get(a) - place.get(b),
  };

  function list() {
    const person = tool("person")?.value || "";
    const shown = (card) => shows[tool("show").value](card)
      && (person === "" || card.dataset.people.split(" ").includes(person));
    cards.forEach((card) => { card.hidden = !shown(card); });
    const order = [...cards].sort(orders[tool("order").value]);
    order.forEach((card) => card.parentElement.append(card));
    const said = tools.querySelector("output"), n = cards.filter((card) => !card.hidden).length;
    said.textContent = said.dataset.said.replace("{n}", n).replace("{all}", cards.length);
  }

  const everywhere = (open) => cards.forEach((card) => { details(card).open = open; });

  // Opens the card that a link leads to; where it is not listed, all are listed again.
  function reveal(hash) {
    const card = /^#scene-\d+$/.test(hash) && document.getElementById(hash.slice(1));
    if (!card) return;
    details(card).open = true;
    if (!card.hidden) return;
    tool("show").value = "all";
    if (tool("person")) tool("person").value = "";
    list();
    card.scrollIntoView();
  }

  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("change", list);
  tool("open").addEventListener("click", ({ currentTarget: button }) => {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    everywhere(open);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#scene-']");
    if (link) reveal(link.hash);
  });
  window.addEventListener("hashchange", () => reveal(location.hash));

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = cards.filter((card) => !details(card).open);
    everywhere(true);
  });
  window.addEventListener("afterprint", () => closed.forEach((card) => { details(card).open = false; }));

  // The strip scrolls; the whole film stands above it, as many pieces as there is room for, and leads to a part of it.
  const map = document.querySelector(".strip-map"), strip = document.querySelector(".strip.long");
  function drawMap() {
    const entries = [...strip.children], n = Math.min(entries.length, Math.floor(map.clientWidth / 3));
    const rank = ["silent", "unjudged", "match", "partial", "mismatch"];
    const parts = Array.from({ length: n }, (_, k) => {
      const some = entries.slice(Math.floor((k * entries.length) / n), Math.floor(((k + 1) * entries.length) / n));
      const worst = rank[Math.max(...some.map((one) => rank.findIndex((verdict) => one.classList.contains(verdict))))];
      const colour = { mismatch: "--mismatch", partial: "--partly", match: "--match" }[worst] || "--line";
      return `var(${colour}) ${(100 * k) / n}% ${(100 * (k + 1)) / n}%`;
    });
    map.style.backgroundImage = `linear-gradient(90deg, ${parts.join(", ")})`;
    followStrip();
  }
  // Every scene is as wide as any other in the map, as it is in the strip.
  function hatchMap() {
    const entries = [...strip.children], part = 1 / entries.length;
    entries.forEach((entry, k) => entry.querySelectorAll(".excluded").forEach((moment) => {
      const piece = moment.cloneNode(), { left, width } = moment.style;
      piece.style.left = `${part * (100 * k + Number.parseFloat(left))}%`;
      piece.style.width = `${part * Number.parseFloat(width)}%`;
      map.append(piece);
    }));
  }
  function followStrip() {
    const { scrollLeft, scrollWidth, clientWidth } = strip, window_ = map.firstElementChild;
    window_.style.left = `${(100 * scrollLeft) / scrollWidth}%`;
    window_.style.width = `${(100 * clientWidth) / scrollWidth}%`;
  }
  if (map) {
    const lead = ({ clientX }) => {
      const { left, width } = map.getBoundingClientRect();
      strip.scrollLeft = ((clientX - left) / width) * strip.scrollWidth - strip.clientWidth / 2;
    };
    map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); lead(event); });
    map.addEventListener("pointermove", (event) => { if (event.buttons) lead(event); });
    strip.addEventListener("scroll", followStrip, { passive: true });
    new ResizeObserver(drawMap).observe(map);
    hatchMap();
  }

  list();
  reveal(location.hash);
})();

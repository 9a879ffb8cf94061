// Sorts and filters the films of a library, and moves among them by keys. Without it the page shows all, by name.
(() => {
  "use strict";
  const list = document.getElementById("films"), films = [...list.children];
  const search = document.getElementById("words"), shown = document.getElementById("shown");
  const none = document.querySelector(".none");
  const chips = [...document.querySelectorAll("[data-show]")], sorts = [...document.querySelectorAll("[data-sort]")];
  const rank = { failed: 0, partial: 1, done: 2 };
  const falling = new Set(["length", "coverage", "gap", "made"]);
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  // What can be found: all that the film's entry says, and where the file lies.
  const texts = films.map((film) => plain(`${film.textContent} ${film.querySelector("[title]").title}`));
  const chosen = new Set();
  let order = { key: "name", down: false };

  function value(film, key) {
    const text = film.dataset[key];
    if (key === "state") return rank[text];
    return key === "name" || key === "made" ? text : text === "" ? NaN : Number(text);
  }

  function compare(a, b) {
    if (typeof a === "string") return a === "" || b === "" ? (a === "") - (b === "") : (order.down ? -1 : 1) * collator.compare(a, b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b); // what is not known comes last
    return order.down ? b - a : a - b;
  }

  function sort(key) {
    order = { key, down: order.key === key ? !order.down : falling.has(key) };
    for (const button of sorts) {
      const on = button.dataset.sort === key;
      button.setAttribute("aria-pressed", on);
      button.lastElementChild.textContent = on ? (order.down ? "↓" : "↑") : "";
    }
    const keyed = films.map((film) => [value(film, key), film.dataset.name, film]);
    keyed.sort((a, b) => compare(a[0], b[0]) || collator.compare(a[1], b[1]));
    list.append(...keyed.map((entry) => entry[2]));
  }

  function filter() {
    const wanted = plain(search.value).split(/\s+/).filter(Boolean);
    const states = [...chosen].filter((name) => name !== "gaps");
    let n = 0;
    films.forEach((film, place) => {
      const fits = wanted.every((word) => texts[place].includes(word))
        && (!states.length || states.includes(film.dataset.state)) && (!chosen.has("gaps") || film.dataset.gap !== "");
      film.hidden = !fits;
      n += fits;
    });
    none.hidden = n > 0 || !films.length;
    shown.textContent = n === films.length ? shown.dataset.all : shown.dataset.some.replace("{some}", n);
    for (const chip of chips) chip.setAttribute("aria-pressed", chosen.has(chip.dataset.show));
  }

  function show(name) {
    if (name === "all") {
      chosen.clear();
      search.value = "";
    } else if (!chosen.delete(name)) {
      chosen.add(name);
    }
    filter();
  }

  function step(by) {
    const links = [...list.children].filter((film) => !film.hidden).flatMap((film) => film.querySelector("h3 a") || []);
    const own = document.activeElement.closest(".film");
    const at = links.findIndex((link) => own && own.contains(link));
    const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
    if (next) {
      next.focus({ preventScroll: true });
      next.closest(".film").scrollIntoView({ block: "nearest" });
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = document.activeElement === search;
    if (event.key === "/" && !typing) search.focus();
    else if (event.key === "Escape") show("all");
    else if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp" && !typing) step(-1);
    else return;
    event.preventDefault();
  });
  search.addEventListener("input", filter);
  for (const chip of chips) chip.addEventListener("click", () => show(chip.dataset.show));
  for (const button of sorts) button.addEventListener("click", () => sort(button.dataset.sort));
  document.querySelectorAll("search, .sorts, .keys").forEach((part) => { part.hidden = false; });
  sorts[0].lastElementChild.textContent = "↑";
  filter();
})();

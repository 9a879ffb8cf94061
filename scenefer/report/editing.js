// Correct and name: edits by hand are made in this page, kept in this browser, and saved as a file that scenefer applies.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("editing-data").textContent);
  const rules = editingRules(data), { words } = data, { filled, same, clock } = rules;
  const key = `scenefer-edits-${data.film}-${data.analysis}`;
  const toggle = document.querySelector(".edit-toggle");
  let panel = null, edits = [], now = null, opener = null;
  const part = (selector) => panel.querySelector(selector);
  const isApplied = (edit) => data.applied.some((one) => same(one, edit));

  function restore() {
    try {
      edits = rules.restored(JSON.parse(localStorage.getItem(key)));
    } catch {
      edits = data.applied; // this browser keeps nothing, or something else
    }
    now = rules.withEdits(edits);
  }
  // Those that rest on an edit that is undone go with it.
  function change(list) {
    now = rules.withEdits(list);
    edits = now.edits;
    part(".said").textContent = now.unfit.map((says) => filled(words.gone_too, { says })).join(" ");
    try {
      localStorage.setItem(key, JSON.stringify({ applied: data.applied, edits }));
    } catch {
      // the edits last until the page is closed, and can be saved
    }
    list_();
  }

  // What the folder of this page is called on the command line: where it lies, or where reports lie by default.
  function runFolder() {
    if (location.protocol !== "file:") return `reports/${data.film_name.replace(/\.[^.]*$/, "")}`;
    const path = decodeURIComponent(location.pathname).replace(/\/[^/]*$/, "");
    return path.replace(/^\/(?=[A-Za-z]:)/, "") || "/";
  }
  const fileName = () => `${data.film_name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 80) || "film"}-edits.json`;
  function quoted(text) {
    if (/^[\w@%+=:,./-]+$/.test(text)) return text;
    return navigator.platform.startsWith("Win") ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
  }

  function save() {
    const entries = edits.map((edit, k) => `  ${JSON.stringify({ ...edit, says: now.sayings[k] })}`).join(",\n");
    const head = { format: "scenefer edits", version: 1, film: data.film, film_name: data.film_name, analysis: data.analysis };
    const link = document.createElement("a");
    const text = `${JSON.stringify(head, null, 1).replace(/\n\}$/, "")},\n "edits": [\n${entries}\n ]\n}\n`;
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = fileName();
    link.click();
  }

  function entry(text, state, label, act) {
    const item = document.createElement("li"), said = document.createElement("span"), small = document.createElement("small"), button = document.createElement("button");
    said.textContent = text;
    small.textContent = state;
    button.type = "button";
    button.textContent = filled(label, { says: "" }).replace(/[:：]?\s*$/, "");
    button.setAttribute("aria-label", filled(label, { says: text }));
    button.addEventListener("click", act);
    item.append(said, " ", small, " ", button);
    return item;
  }

  function list_() {
    const dropped = data.applied.filter((edit) => !edits.some((one) => same(one, edit)));
    const sayings = rules.withEdits(data.applied).sayings;
    part(".edits").replaceChildren(
      ...edits.map((edit, k) => entry(now.sayings[k], isApplied(edit) ? words.applied : words.pending, words.undo, () => undo(k))),
      ...dropped.map((edit) => entry(sayings[data.applied.findIndex((one) => same(one, edit))], words.dropped, words.again, () => again(edit))),
    );
    part(".count").textContent = edits.length ? filled(edits.length === 1 ? words.one : words.many, { n: edits.length }) : words.none;
    const run = quoted(runFolder()), takeOff = !edits.length && data.applied.length > 0;
    part("[data-does=save]").disabled = !edits.length;
    part(".then").hidden = !edits.length;
    part(".take-off").hidden = !takeOff;
    part(".command").hidden = !edits.length && !takeOff;
    part(".command code").textContent = `scenefer report ${run} ${takeOff ? "--no-edits" : `--edits ${quoted(fileName())}`}`;
    offered.forEach((name) => name());
    mark();
  }

  function undo(k) {
    change(edits.filter((_, other) => other !== k));
    (part(".edits button") || part(".kinds button")).focus();
  }
  function again(edit) {
    change([...edits, edit]);
    part(".edits li:last-child button").focus();
  }

  // What is not applied yet stands at what it is about.
  function mark() {
    document.querySelectorAll(".pending-edit").forEach((note) => note.remove());
    const people = (n) => document.querySelector(`.people [data-person="${n}"] > div`);
    const track = (n) => document.querySelector(`.tracks [data-track="${n}"] > div`);
    const scene = (name) => document.querySelector(`#scene-${data.scenes.findIndex(([own]) => own === name)} .names`);
    edits.forEach((edit, k) => {
      if (isApplied(edit)) return;
      const places = { rename: [people(edit.person)], merge: [people(edit.person), people(edit.into)], split: [track(edit.track)], boundary: [scene(edit.scene)] };
      const inside = () => now.state.scenes.filter(({ start, end }) => start < edit.end && end > edit.start).map(({ name }) => scene(name));
      (places[edit.edit] || inside()).filter(Boolean).forEach((place) => {
        const note = document.createElement("p");
        note.className = "pending-edit";
        note.textContent = `${now.sayings[k]} (${words.pending})`;
        place.append(note);
      });
    });
  }

  function option(value, text) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  }
  const people = () => [...now.state.names.keys()].sort((a, b) => a - b).map((n) => option(n, rules.who(now.state, n)));
  const spanOf = new Map(data.tracks.map(([track, , start, end]) => [track, [start, end]]));
  function fillTracks(form) {
    const of = form.elements.of.value === "" ? null : Number(form.elements.of.value);
    form.elements.track.replaceChildren(...rules.tracksOf(now.state, of).map((n) => {
      const [start, end] = spanOf.get(n).map(clock);
      return option(n, filled(words.track, { n, start, end }));
    }));
  }
  function fill(form, given) {
    const { person, into, of, track, scene, edge, time, start, end, name } = form.elements;
    for (const select of [person, into, of]) select?.replaceChildren(...people());
    of?.append(option("", words.untold));
    scene?.replaceChildren(...now.state.scenes.map(({ name: own, shown }) => option(own, shown)));
    if (given.person && person) person.value = given.person;
    if (into && into.value === person.value) into.selectedIndex = into.options.length > 1 && person.selectedIndex === 0 ? 1 : 0;
    if (name) name.value = now.state.names.get(Number(person.value)) || "";
    if (of) {
      of.value = given.track === undefined ? given.person ?? of.options[0].value : now.state.personOf.get(given.track) ?? "";
      fillTracks(form);
      if (given.track !== undefined) track.value = given.track;
    }
    if (given.scene !== undefined && scene) scene.value = given.scene;
    if (time) fillTime(form);
    if (start) [start.value, end.value] = given.span ? given.span.map(clock) : ["", ""];
    edge?.form.querySelector("[role=alert]").replaceChildren();
  }
  function fillTime(form) {
    const { scene, edge, time } = form.elements, own = now.state.scenes.find(({ name }) => name === scene.value);
    time.value = clock(own[edge.value]);
  }

  function open_(kind, given = {}) {
    opener = document.activeElement;
    panel.querySelectorAll("form").forEach((form) => { form.hidden = form.dataset.kind !== kind; });
    const form = part(`form[data-kind=${kind}]`);
    form.querySelector("[role=alert]").textContent = "";
    form.querySelectorAll("[data-playhead]").forEach((button) => { button.hidden = !document.querySelector(".stage .clock b")?.textContent; });
    fill(form, given);
    const first = { rename: "name", merge: "into", split: "track", boundary: "time", exclude: "start" }[kind];
    form.elements[first].focus();
  }
  function close_(form) {
    form.hidden = true;
    if (opener?.isConnected) opener.focus();
  }

  const made = {
    rename: ({ person, name }) => ({ edit: "rename", person: Number(person.value), name: name.value.normalize("NFC").trim() }),
    merge: ({ person, into }) => ({ edit: "merge", person: Number(person.value), into: Number(into.value) }),
    split: ({ track }) => ({ edit: "split", track: Number(track.value), person: rules.newPerson(now.state) }),
    boundary: ({ scene, edge, time }) => ({ edit: "boundary", scene: scene.value, edge: edge.value, time: rules.timeOf(time.value) }),
    exclude: ({ start, end }) => ({ edit: "exclude", start: rules.timeOf(start.value), end: rules.timeOf(end.value) }),
  };
  function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    try {
      change(rules.added(edits, made[form.dataset.kind](form.elements)));
      close_(form);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      form.querySelector("[role=alert]").textContent = error.message;
    }
  }

  function nudge({ currentTarget: button }) {
    const field = button.form.elements[button.dataset.for];
    if ("playhead" in button.dataset) {
      field.value = document.querySelector(".stage .clock b").textContent;
      return;
    }
    const at = rules.parse(field.value) ?? data.begin, places = [data.begin, ...data.cuts, data.end];
    const wanted = button.dataset.cut === "1" ? places.find((cut) => cut > at + 2e-3) : places.findLast((cut) => cut < at - 2e-3);
    if (wanted !== undefined) field.value = clock(wanted);
  }

  // Buttons at what can be edited, made when editing is turned on. There are dozens that read alike: each has a name that
  // says of what it is, which changes with the names of people.
  const offered = [];
  function offer(place, kind, does, of, given) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "edit-this";
    button.textContent = words[does];
    offered.push(() => button.setAttribute("aria-label", filled(words[`${does}_of`], of())));
    button.addEventListener("click", () => { button.focus(); open_(kind, given()); });
    place.append(button);
  }
  function offers() {
    document.querySelectorAll(".people [data-person]").forEach((card) => {
      const place = document.createElement("p"), person = Number(card.dataset.person);
      place.className = "edit-these";
      card.lastElementChild.append(place);
      for (const kind of ["rename", "merge", "split"]) {
        offer(place, kind, `${kind}_person`, () => ({ who: rules.who(now.state, person) }), () => ({ person }));
      }
    });
    if (data.people.length) {
      document.querySelectorAll(".tracks [data-track]").forEach((card) => {
        const track = Number(card.dataset.track);
        offer(card.lastElementChild, "split", "split_track", () => ({ n: track }), () => ({ track }));
      });
    }
    if (!data.video) return;
    document.querySelectorAll(".card[id^=scene-]").forEach((card) => {
      const place = document.createElement("p"), [scene, shown] = data.scenes[Number(card.id.slice(6))], of = () => ({ scene: shown });
      place.className = "edit-these";
      (card.querySelector(":scope > details") || card).append(place);
      offer(place, "boundary", "move_scene", of, () => ({ scene }));
      offer(place, "exclude", "exclude_moment", of, () => {
        const { start, end } = now.state.scenes.find(({ name }) => name === scene);
        return { span: [start, end] };
      });
    });
  }

  function unfold(open) {
    part(".fold").setAttribute("aria-expanded", String(open));
    for (const place of panel.querySelectorAll(".kinds, .folds")) place.hidden = !open;
  }
  function build() {
    panel = document.getElementById("editing").content.firstElementChild.cloneNode(true);
    document.querySelector(".bar").after(panel); // next to the button that turns it on, for whoever comes by keyboard
    for (const form of panel.querySelectorAll("form")) {
      form.addEventListener("submit", submit);
      form.querySelector("[data-close]").addEventListener("click", () => close_(form));
      form.querySelectorAll(".nudge button").forEach((button) => button.addEventListener("click", nudge));
    }
    panel.querySelectorAll("[data-opens]").forEach((button) => button.addEventListener("click", () => open_(button.dataset.opens)));
    panel.addEventListener("keydown", (event) => {
      const form = event.target.closest("form");
      if (event.key === "Escape" && form) close_(form);
    });
    const { person, name } = part("form[data-kind=rename]").elements;
    person.addEventListener("change", () => { name.value = now.state.names.get(Number(person.value)) || ""; });
    const split = part("form[data-kind=split]"), boundary = part("form[data-kind=boundary]");
    split.elements.of.addEventListener("change", () => fillTracks(split));
    for (const name_ of ["scene", "edge"]) boundary.elements[name_].addEventListener("change", () => fillTime(boundary));
    part("[data-does=save]").addEventListener("click", save);
    part(".fold").addEventListener("click", ({ currentTarget: button }) => unfold(button.getAttribute("aria-expanded") !== "true"));
    unfold(matchMedia("(min-width: 701px)").matches); // on a narrow screen the page must be seen beside it
    offers();
  }

  toggle.addEventListener("click", () => {
    const on = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(on));
    if (on && !panel) build();
    document.documentElement.classList.toggle("edits-on", on);
    panel.hidden = !on;
    if (on) list_();
    else document.querySelectorAll(".pending-edit").forEach((note) => note.remove());
  });
  restore();
  toggle.hidden = false;
})();

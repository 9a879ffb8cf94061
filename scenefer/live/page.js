"use strict";
// Shows what the server sends: once what does not change, then the latest picture whenever there is one.

const at = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let about = null;

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function listed(...parts) {
  const item = document.createElement("li");
  item.append(...parts);
  return item;
}

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (place, name) => (name in values ? values[name] : place));
}

function begin(told) {
  about = told;
  document.documentElement.lang = told.language;
  document.title = `${told.name} · scenefer live`;
  at("name").textContent = told.name;
  for (const id of ["seconds", "seen", "shows"]) at(id).textContent = told.words[id];
  at("intended").textContent = told.words.intended;
  at("intended").hidden = told.meant === null;
  at("record").textContent = told.words.recorded;
  at("record").hidden = told.record === null;
  at("bars").replaceChildren(...told.emotions.map(bar));
  notice(told.words.waiting);
}

function bar(emotion) {
  const picture = drawn("svg", { viewBox: "0 0 100 16", preserveAspectRatio: "none" });
  picture.append(drawn("rect", { class: "share", width: 0, height: 16, fill: emotion.colour }));
  if (emotion.intended !== null) {
    const style = { fill: "none", stroke: "#ffffff", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" };
    picture.append(drawn("rect", { x: 0, y: 1, width: 100 * emotion.intended, height: 14, ...style }));
  }
  const name = document.createElement("span");
  name.textContent = emotion.name;
  return listed(name, picture, document.createElement("b"));
}

function show(view) {
  notice("");
  at("picture").src = `data:image/jpeg;base64,${view.picture}`;
  at("boxes").setAttribute("viewBox", `0 0 ${view.size[0]} ${view.size[1]}`);
  at("boxes").replaceChildren(...view.faces.flatMap((face) => box(face, view.size)));
  at("faces").replaceChildren(...(view.faces.length ? view.faces.map(line) : [listed(about.words.nobody)]));
  [...at("bars").children].forEach((item, place) => {
    const share = view.shares === null ? 0 : view.shares[place];
    item.querySelector(".share").setAttribute("width", 100 * share);
    item.querySelector("b").textContent = view.shares === null ? "–" : `${Math.round(100 * share)}%`;
  });
  at("apart").hidden = view.misplaced === null;
  if (view.misplaced !== null) {
    at("apart").textContent = filled(about.words.apart, { percent: Math.round(100 * view.misplaced) });
  }
  const pace = { rate: view.rate.toFixed(1), delay: view.delay ?? "–", dropped: view.dropped };
  at("pace").textContent = filled(about.words.pace, pace);
}

function percent(face) {
  return `${about.emotions[face.emotion].name} ${Math.round(100 * face.probabilities[face.emotion])}%`;
}

function box(face, [width, height]) {
  const emotion = about.emotions[face.emotion];
  const [x0, y0, x1, y1] = [face.box[0] * width, face.box[1] * height, face.box[2] * width, face.box[3] * height];
  const colour = face.why === null ? emotion.colour : "#b9b4a9";
  const frame = drawn("rect", {
    class: face.why === null ? "face" : "face not", x: x0, y: y0, width: x1 - x0, height: y1 - y0, stroke: colour, rx: 4,
  });
  const said = face.why === null ? `${face.number} ${percent(face)}` : `${face.number}`;
  const wide = 12 + 9.2 * said.length;
  const left = Math.max(0, Math.min(x0, width - wide));
  const top = y0 > 24 ? y0 - 24 : Math.min(y1 + 2, height - 22);
  const ground = drawn("rect", { x: left, y: top, width: wide, height: 22, rx: 4, fill: colour });
  const text = drawn("text", { x: left + 6, y: top + 16, fill: face.why === null ? emotion.ink : "#141416" });
  text.textContent = said;
  return [frame, ground, text];
}

function line(face) {
  const emotion = about.emotions[face.emotion];
  const number = document.createElement("i");
  number.textContent = face.number;
  number.style.background = face.why === null ? emotion.colour : "#3a3d44";
  number.style.color = face.why === null ? emotion.ink : "#eceae6";
  const said = document.createElement("span");
  said.textContent = face.why === null ? "" : (about.why[face.why] ?? face.why);
  return listed(number, percent(face), said);
}

function notice(text, bad = false) {
  at("notice").textContent = text;
  at("notice").classList.toggle("bad", bad);
}

const events = new EventSource("events");
events.addEventListener("about", (event) => begin(JSON.parse(event.data)));
events.addEventListener("view", (event) => show(JSON.parse(event.data)));
events.addEventListener("state", (event) => {
  const state = JSON.parse(event.data);
  if (state.ended) {
    events.close();
    notice([about.words.ended, state.error].filter(Boolean).join(": "), state.error !== null);
  } else if (state.quiet) {
    notice(filled(about.words.quiet, { n: state.quiet }), true);
  }
});
events.addEventListener("full", (event) => {
  events.close();
  notice(JSON.parse(event.data), true);
});
events.onerror = () => notice(about ? about.words.away : "No connection to scenefer", true);

"use strict";
// Judge faces one by one; what is judged stays in this browser under the sample's name until it is saved as CSV.
const content = JSON.parse(document.getElementById("content").textContent);
const at = (id) => document.getElementById(id);
const key = `scenefer-${content.sample}`;
const buttons = [...document.querySelectorAll("[data-code]")];
const state = { place: 0, codes: {}, coder: "" };
let kept = true;

function restore() {
  try {
    Object.assign(state, JSON.parse(localStorage.getItem(key)) || {});
  } catch {
    kept = false;
  }
}

function keep() {
  try {
    localStorage.setItem(key, JSON.stringify(state));
  } catch {
    kept = false;
  }
}

function show() {
  const face = content.faces[state.place];
  const done = Object.keys(state.codes).length;
  const all = content.faces.length;
  at("crop").src = face.crop;
  at("when").textContent = `(${face.when})`;
  at("around").hidden = face.picture === null;
  if (face.picture !== null) at("picture").src = content.pictures[face.picture];
  for (const button of buttons) button.setAttribute("aria-pressed", String(state.codes[face.face] === button.dataset.code));
  const values = { number: state.place + 1, all, done };
  let said = content.progress.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  if (done === all) said += `. ${content.done}`;
  if (!kept) said += `. ${content.unkept}`;
  at("progress").textContent = said;
  at("bar").max = all;
  at("bar").value = done;
  at("back").disabled = state.place === 0;
  at("forward").disabled = state.place === all - 1;
}

function go(step) {
  state.place = Math.min(Math.max(state.place + step, 0), content.faces.length - 1);
  keep();
  show();
}

function judge(code) {
  state.codes[content.faces[state.place].face] = code;
  go(1);
}

function cell(text) {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function save() {
  const coder = state.coder.trim().replace(/^[=+@-]+/, "");
  const judged = content.faces.filter((face) => face.face in state.codes);
  const lines = judged.map((face) => [content.sample, coder, String(face.face), state.codes[face.face]].map(cell).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([["sample,coder,face,code", ...lines, ""].join("\r\n")], { type: "text/csv" }));
  // Two people who give no name would else save files of one name, and count as one coder.
  const unnamed = new Date().toISOString().slice(0, 19).replaceAll(":", "");
  link.download = `codes-${coder.replace(/[^\p{L}\p{N}_-]+/gu, "_") || unnamed}.csv`;
  link.click();
}

for (const button of buttons) button.addEventListener("click", () => judge(button.dataset.code));
at("back").addEventListener("click", () => go(-1));
at("forward").addEventListener("click", () => go(1));
at("save").addEventListener("click", save);
at("coder").addEventListener("input", () => {
  state.coder = at("coder").value;
  keep();
});
document.addEventListener("keydown", (event) => {
  if (event.target === at("coder") || event.ctrlKey || event.metaKey || event.altKey) return;
  const digit = /^[0-7]$/.test(event.key) ? (Number(event.key) + 7) % 8 : -1;
  if (digit >= 0 && !event.repeat) judge(content.codes[digit]);
  else if (event.key === "ArrowLeft" || event.key === "Backspace") go(-1);
  else if (event.key === "ArrowRight") go(1);
  else if (event.key === "s" || event.key === "S") save();
  else return;
  event.preventDefault();
});

restore();
at("coder").value = state.coder;
show();

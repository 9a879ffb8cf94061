// Do you agree with a face's reading? What is said stays in this browser under the film's id until it is saved as CSV.
(() => {
  "use strict";
  const words = JSON.parse(document.getElementById("judging-words").textContent);
  const key = `scenefer-faces-${words.film}`;
  const faces = [...document.querySelectorAll("li[data-face]")];
  const said = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  let judged = {}, bar = null;

  function restore() {
    try {
      judged = JSON.parse(localStorage.getItem(key)) || {};
    } catch {
      judged = {}; // this browser keeps nothing, or something else
    }
  }
  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(judged));
    } catch {
      // what was said lasts until the page is closed, and can be saved
    }
  }

  // What is said below a face, with the page closed or open: in its summary.
  function mark(face) {
    const own = judged[face.dataset.face], summary = face.querySelector(".judging summary");
    const instead = own?.instead && words.emotions[own.instead];
    const answers = { right: words.right, wrong: instead ? said(words.instead, { emotion: instead }) : words.wrong, "cannot tell": words.unsure };
    summary.textContent = own?.judgement ? answers[own.judgement] : words.ask;
    // There are hundreds that read alike: the name says of which face it is.
    const of = `${words.emotions[face.dataset.read]}, ${face.dataset.of}`;
    summary.setAttribute("aria-label", `${summary.textContent}${own?.judgement ? ":" : ""} ${of}`);
    summary.parentElement.dataset.judgement = own?.judgement || "";
  }

  function tell() {
    const all = Object.values(judged).filter(({ judgement }) => judgement);
    if (!all.length && !bar) return;
    if (!bar) {
      bar = document.getElementById("judged").content.firstElementChild.cloneNode(true);
      bar.querySelector("[data-does=save-judged]").addEventListener("click", save);
      bar.querySelector("[data-does=drop-judged]").addEventListener("click", startAgain);
      document.querySelector("section[aria-labelledby=scenes]").append(bar);
    }
    const right = all.filter(({ judgement }) => judgement === "right").length;
    bar.hidden = !all.length;
    bar.firstElementChild.textContent = said(all.length === 1 ? words.one : words.many, { n: all.length, right });
  }

  function change(face, values) {
    judged[face.dataset.face] = { ...judged[face.dataset.face], ...values };
    keep();
    faces.filter((one) => one.dataset.face === face.dataset.face).forEach(mark); // a face may stand on both sides
    tell();
  }

  // The questions are made when they are opened: a film has hundreds of faces.
  function ask(face, details) {
    const { read, face: id } = face.dataset, own = judged[id] || {};
    const asked = document.getElementById("judging").content.firstElementChild.cloneNode(true);
    const select = asked.querySelector("select"), note = asked.querySelector("input[type=text]");
    const showInstead = (judgement) => { select.parentElement.hidden = judgement !== "wrong"; };
    asked.querySelector("legend").textContent = said(words.question, { emotion: words.emotions[read] });
    select.querySelector(`option[value=${read}]`).remove();
    for (const radio of asked.querySelectorAll("input[type=radio]")) {
      radio.name = `face-${id}-${faces.indexOf(face)}`;
      radio.checked = own.judgement === radio.value;
      radio.addEventListener("change", () => {
        showInstead(radio.value);
        change(face, { judgement: radio.value, instead: radio.value === "wrong" ? select.value : "" });
      });
    }
    select.value = own.instead || "";
    note.value = own.note || "";
    showInstead(own.judgement);
    select.addEventListener("change", () => change(face, { instead: select.value }));
    note.addEventListener("input", () => change(face, { note: note.value }));
    details.append(asked);
  }

  function save() {
    const cell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const once = new Map(faces.map((face) => [face.dataset.face, face]));
    const lines = [...once.values()].filter(({ dataset }) => judged[dataset.face]?.judgement).map(({ dataset }) => {
      const { judgement, instead = "", note = "" } = judged[dataset.face];
      const plain = note.trim().replace(/^[=+@-]+/, ""); // a table program would take it for a formula
      return [words.film, dataset.face, dataset.time, dataset.read, judgement, instead, plain].map(cell).join(",");
    });
    const link = document.createElement("a");
    const text = ["film,face,time,read,judgement,instead,note", ...lines, ""].join("\r\n");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "faces-judged.csv";
    link.click();
  }

  function startAgain() {
    judged = {};
    keep();
    faces.forEach((face) => { face.querySelector(".judging fieldset")?.remove(); mark(face); face.querySelector(".judging").open = false; });
    tell();
  }

  restore();
  for (const face of faces) {
    const details = document.createElement("details"), summary = document.createElement("summary");
    details.className = "judging";
    details.append(summary);
    summary.addEventListener("click", () => { if (details.childElementCount === 1) ask(face, details); });
    face.append(details);
    mark(face);
  }
  tell();
})();

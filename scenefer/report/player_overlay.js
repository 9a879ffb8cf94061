// Lays over the picture what is known of a moment: boxes, people, labels, and how the expressions divide.
const playerOverlay = (() => {
  "use strict";
  const made = (tag, name, parent) => {
    const element = document.createElement(tag);
    element.className = name;
    parent.append(element);
    return element;
  };
  const GREY = ["#86848C", "#141416"]; // of a face that does not count

  function over(screen, film) {
    const layer = made("div", "boxes", screen), boxes = [];
    const panel = made("div", "now", screen.parentElement), head = made("p", "now-head", panel);
    const rows = film.emotions.map(([word, colour]) => {
      const row = made("div", "now-row", panel);
      made("span", "now-word", row).textContent = word;
      const bar = made("span", "now-bar", row);
      const share = made("b", "", bar), mark = made("i", "", bar), number = made("span", "now-number", row);
      share.style.background = colour;
      return { share, mark, number };
    });
    layer.setAttribute("aria-hidden", "true");
    panel.setAttribute("aria-hidden", "true");

    const percent = (share) =>
      share > 0 && share <= 0.005 ? film.words.little : film.words.share.replace("{n}", Math.round(100 * share));
    const leader = (shares) => shares.indexOf(Math.max(...shares));

    function drawBox(box, { box: [left, top, right, bottom], person, why, shares }) {
      const [word, colour, ink] = shares ? film.emotions[leader(shares)] : [why, ...GREY];
      Object.assign(box.frame.style, {
        left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%`,
        borderColor: colour,
      });
      box.frame.classList.toggle("below", top < 0.09);
      box.frame.classList.toggle("leftward", left > 0.7);
      box.frame.classList.toggle("rejected", !shares);
      box.label.textContent = shares ? `${word} ${percent(Math.max(...shares))}` : word;
      box.person.textContent = person;
      box.tag.style.background = colour;
      box.tag.style.color = ink;
      box.frame.hidden = false;
    }

    function draw(time) {
      const seen = film.faces(time);
      while (boxes.length < seen.length) {
        const frame = made("div", "box", layer), tag = made("span", "tag", frame);
        boxes.push({ frame, tag, label: made("span", "reading", tag), person: made("span", "who", tag) });
      }
      boxes.forEach((box, k) => (k < seen.length ? drawBox(box, seen[k]) : (box.frame.hidden = true)));
      const counted = seen.filter(({ shares }) => shares);
      const scene = film.sceneAt(time), soFar = scene && film.sharesSoFar(scene, time);
      head.textContent = scene ? film.words.so_far.replace("{scene}", () => scene.name) : film.words.no_scene;
      rows.forEach(({ share, mark, number }, emotion) => {
        const mean = counted.reduce((sum, { shares }) => sum + shares[emotion], 0) / (counted.length || 1);
        share.style.width = `${100 * mean}%`;
        number.textContent = counted.length ? percent(mean) : "–";
        mark.hidden = !soFar;
        if (soFar) mark.style.left = `${100 * soFar[emotion]}%`;
      });
      return seen;
    }

    return draw;
  }

  return { over };
})();

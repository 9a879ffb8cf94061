// As much detail as the pixels carry: where scenes of a figure are too narrow to be read, neighbours are drawn as one.
const sceneDetail = (() => {
  "use strict";
  const NARROWEST = 7; // px of a piece
  const LETTER = 6.4, SHORTEST = 9, LONGEST = 16; // px; letters of a name that is cut to its scene, and of one that is not
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const cutTo = (name, letters) => (name.length > letters ? name.slice(0, letters - 1) + "…" : name);

  const visible = (scenes, [from, to]) => scenes.filter(([, start, end]) => end > from && start < to);

  function written(text, x) {
    return {
      text: plain(text), x, y: 1, xref: "x", yref: "paper", xanchor: "left", yanchor: "bottom",
      xshift: 4, yshift: 2, showarrow: false, captureevents: false,
    };
  }

  // A name stands in its scene, if need be cut to letters that can still be told apart, or is left out: over another scene
  // it would be taken for that one's. Only where no scene has room for any, the widest are named behind a bar at their
  // start, across their neighbours, as many as can be read.
  function labels(scenes, span, room) {
    const [from, to] = span, pixels = room / (to - from);
    const seen = visible(scenes, span).map(([name, start, end]) => {
      const left = Math.max(start, from);
      return { name, left, width: (Math.min(end, to) - left) * pixels };
    });
    const inside = seen.flatMap(({ name, left, width }) => {
      const letters = Math.floor((width - 8) / LETTER);
      return letters < Math.min(SHORTEST, name.length) ? [] : [written(cutTo(name, letters), left)];
    });
    if (inside.length) return inside;
    const last = to - (LONGEST * LETTER) / pixels, found = [];
    for (const { name, left } of seen.sort((a, b) => b.width - a.width)) {
      const short = cutTo(name, LONGEST), right = left + ((short.length + 2.5) * LETTER) / pixels;
      const isFree = found.every((other) => right <= other.left || left >= other.right);
      if (left <= last && isFree) found.push({ short, left, right });
    }
    return found.sort((a, b) => a.left - b.left).map(({ short, left }) => written(`▏${short}`, left));
  }

  // Divides the scenes into pieces that are wide enough, neighbours together; null where each is wide enough alone.
  function pieces(scenes, span, room) {
    const least = (NARROWEST / room) * (span[1] - span[0]), seen = visible(scenes, span);
    const found = [];
    for (const scene of seen) {
      const before = found.at(-1);
      if (before && before.end - before.start < least) {
        before.end = scene[2];
        before.scenes.push(scene);
      } else found.push({ start: scene[1], end: scene[2], scenes: [scene] });
    }
    if (found.length > 1 && found.at(-1).end - found.at(-1).start < least) {
      const last = found.pop();
      found.at(-1).end = last.end;
      found.at(-1).scenes.push(...last.scenes);
    }
    return found.length < seen.length ? found : null;
  }

  // What was intended in several scenes, by their seconds: [colour, share] each.
  function together(scenes, meant) {
    const shares = new Map();
    let whole = 0;
    for (const [, start, end, id] of scenes) {
      if (!meant[id]) continue;
      whole += end - start;
      for (const [colour, share] of meant[id]) shares.set(colour, (shares.get(colour) || 0) + share * (end - start));
    }
    return [...shares].map(([colour, share]) => [colour, share / whole]);
  }

  function shapes({ scenes, meant, ribbon, layout }, span, room) {
    const merged = pieces(scenes, span, room), drawn = layout.shapes;
    if (!merged) return drawn;
    const pattern = drawn[0]; // a band
    return merged.flatMap(({ start, end, scenes: inside }, k) => {
      let low = ribbon ? ribbon[0] : 0;
      const parts = together(inside, meant).map(([fillcolor, share]) => {
        const y0 = low;
        low += ribbon[1] * share;
        return { type: "rect", x0: start, x1: end, y0, y1: low, fillcolor, line: { width: 0 } };
      });
      return [{ ...pattern, x0: start, x1: end, opacity: k % 2 ? 0.16 : 0.07 }, ...parts];
    });
  }

  return { labels, shapes };
})();

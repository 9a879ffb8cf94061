// What the player knows of the film: reads the columns that player_data.py packs, and tells what is seen at a moment.
const playerData = (() => {
  "use strict";
  const SIDE = 4000, WHOLE = 250, SHARES = 7;

  async function inflated(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  // Takes one column after the other; the bytes are copied, so that each begins where its numbers may.
  function taker(buffer) {
    let place = 0;
    return (Kind, n) => {
      const size = n * Kind.BYTES_PER_ELEMENT;
      place += size;
      return new Kind(buffer.slice(place - size, place));
    };
  }

  // Adds up differences from row to row, anew in every group; the kind of the column makes them wrap around.
  function summed(column, sizes) {
    let row = 0;
    for (const size of sizes) {
      for (let k = 1; k < size; k += 1) column[row + k] += column[row + k - 1];
      row += size;
    }
    return column;
  }

  const last = (n, holds) => { // the last of n places at which something holds that holds up to there; -1: none
    let low = -1, high = n;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (holds(middle)) low = middle; else high = middle;
    }
    return low;
  };

  async function clockOf({ first, step, deltas, n }) {
    if (!deltas) return { at: (k) => first + k * step, of: (time) => Math.floor((time - first) / step), n: Infinity, step };
    const times = Float64Array.from(new Uint32Array(await inflated(deltas)));
    summed(times, [n]);
    const at = (k) => (k < n ? times[Math.max(k, 0)] / 1000 : times[n - 1] / 1000 + (k - n + 1) * step);
    return { at, of: (time) => last(n, (k) => times[k] / 1000 <= time), n, step };
  }

  async function open() {
    const given = JSON.parse(document.getElementById("player-data").textContent);
    const take = taker(await inflated(given.columns));
    const { n_tracks: nTracks, n_samples: nSamples } = given;
    const starts = take(Uint32Array, nTracks), ends = take(Uint32Array, nTracks);
    const sizes = take(Uint32Array, nTracks), persons = take(Int16Array, nTracks);
    const waits = take(Uint16Array, nSamples);
    const edges = Array.from({ length: 4 }, () => summed(take(Int16Array, nSamples), sizes));
    const shares = Array.from({ length: SHARES }, () => summed(take(Uint8Array, nSamples), sizes));
    const states = take(Uint8Array, nSamples);
    const nSoFar = given.scenes.reduce((sum, scene) => sum + scene[4], 0);
    const soFar = Array.from({ length: SHARES }, () =>
      summed(take(Uint8Array, nSoFar), given.scenes.map((scene) => scene[4])));

    const times = new Float64Array(nSamples), tracks = [];
    for (let track = 0, row = 0; track < nTracks; track += 1) {
      let time = starts[track];
      for (let k = row; k < row + sizes[track]; k += 1) times[k] = (time += waits[k]) / 1000;
      tracks.push({ start: starts[track] / 1000, end: ends[track] / 1000, row, n: sizes[track], person: persons[track] });
      row += sizes[track];
    }
    const longest = tracks.reduce((most, track) => Math.max(most, track.end - track.start), 0);

    // Where a track's face is and what it reads as: between two samples what lies between them.
    function now({ row, n, person }, time) {
      const before = row + Math.max(0, last(n, (k) => times[row + k] <= time));
      const after = Math.min(before + 1, row + n - 1), gap = times[after] - times[before];
      const part = gap > 0 ? Math.min(Math.max((time - times[before]) / gap, 0), 1) : 0;
      const between = (column) => column[before] + part * (column[after] - column[before]);
      const state = states[part > 0.5 ? after : before];
      return {
        box: edges.map((edge) => between(edge) / SIDE),
        person: given.people[person] || "",
        why: state ? given.why[state - 1] : "",
        shares: state ? null : shares.map((share) => between(share) / WHOLE),
      };
    }

    function faces(time) {
      const found = [];
      for (let k = last(nTracks, (track) => tracks[track].start <= time); k >= 0; k -= 1) {
        if (tracks[k].start < time - longest) break;
        if (time < tracks[k].end && tracks[k].n) found.push(now(tracks[k], time));
      }
      return found;
    }

    let row = 0;
    const scenes = given.scenes.map(([id, name, start, end, n]) => {
      row += n;
      return { id, name, start, end, n, row: row - n };
    });
    const sceneAt = (time) => scenes.find(({ start, end }) => start <= time && time < end);
    function sharesSoFar({ row: first, n, start, end }, time) {
      const row = first + (time >= end ? n - 1 : Math.min(Math.floor((time - start) / given.every), n - 1));
      const found = soFar.map((share) => share[row] / WHOLE);
      return found.some(Boolean) ? found : null;
    }

    return { ...given, clock: await clockOf(given.frames), scenes, faces, sceneAt, sharesSoFar };
  }

  return { open };
})();

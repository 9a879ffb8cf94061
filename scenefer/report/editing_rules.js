// Edits by hand: what a run is with them, what one says, and why one does not fit. The same rules as analysis/edited.py.
const editingRules = (data) => {
  "use strict";
  const SLACK = 1e-3; // s
  const filled = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const compared = (name) => name.normalize("NFC").toLowerCase();

  const clock = (seconds) => {
    const thousandths = Math.round(seconds * 1000), whole = Math.floor(thousandths / 1000), pad = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const tail = String(thousandths % 1000).padStart(3, "0").replace(/0+$/, "");
    return (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${pad(whole % 60)}${tail && data.decimal + tail}`;
  };
  // Seconds of a time as people write it, 1:02.5, 62,5, 0h01m02.5s or the film's timecode; null where it is none.
  const times = filmTimes(data.times);
  const parse = (text) => times.read(text).time ?? null;

  const measured = () => ({
    names: new Map(data.people),
    merged: new Set(),
    personOf: new Map(data.tracks.map(([track, person]) => [track, person])),
    scenes: data.scenes.map(([name, shown, start, end]) => ({ name, shown, start, end })),
    spans: [],
  });
  const who = ({ names }, person) => filled(names.get(person) ? data.words.named : data.words.person, { n: person, name: names.get(person) });
  const newPerson = ({ names, merged }) => Math.max(0, ...names.keys(), ...merged) + 1;
  const tracksOf = ({ personOf }, person) => [...personOf.keys()].filter((track) => personOf.get(track) === person);

  function says(state, edit) {
    const kind = edit.edit === "rename" && !edit.name ? "unname" : edit.edit === "boundary" ? edit.edge : edit.edit;
    const scene = state.scenes.find(({ name }) => name === edit.scene);
    return filled(data.says[kind], {
      who: edit.edit === "split" ? filled(data.words.person, { n: edit.person }) : edit.person && who(state, edit.person),
      other: edit.into && who(state, edit.into), name: edit.name, n: edit.track, scene: scene?.shown,
      when: clock(edit.time ?? 0), start: clock(edit.start ?? 0), end: clock(edit.end ?? 0),
    });
  }

  function refuse(name, values = {}) {
    throw new RangeError(filled(data.refuses[name], values));
  }
  // The same, or a reason for whoever wrote it.
  function timeOf(text) {
    const { time, no } = times.read(text);
    if (no) refuse(no, { when: text.trim(), start: times.start, rate: String(Number(times.rate.toFixed(3))).replace(".", data.decimal) });
    return time;
  }
  function requireInFilm(time) {
    if (time < data.begin - SLACK || time > data.end + SLACK) refuse("outside", { when: clock(time), start: clock(data.begin), end: clock(data.end) });
  }
  function requireLength({ shown, start, end }, from, to) {
    if (from > to + SLACK) refuse("cross", { scene: shown, start: clock(start), end: clock(end) });
    if (to - from < data.frame - SLACK) refuse("short", { scene: shown });
  }
  function requirePerson(state, person) {
    if (!state.names.has(person)) refuse("gone", { who: filled(data.words.person, { n: person }) });
  }

  const takes = {
    rename(state, { person, name }) {
      requirePerson(state, person);
      if (!name && !state.names.get(person)) refuse("nameless", { who: who(state, person) });
      const other = [...state.names].find(([one, own]) => one !== person && own && compared(own) === compared(name));
      if (other) refuse("taken", { who: filled(data.words.person, { n: other[0] }), name });
      state.names.set(person, name);
    },
    merge(state, { person, into }) {
      requirePerson(state, person);
      requirePerson(state, into);
      if (person === into) refuse("itself");
      tracksOf(state, person).forEach((track) => state.personOf.set(track, into));
      if (!state.names.get(into)) state.names.set(into, state.names.get(person));
      state.names.delete(person);
      state.merged.add(person);
    },
    split(state, { track, person }) {
      const from = state.personOf.get(track);
      if (from !== null && tracksOf(state, from).length === 1) refuse("alone", { n: track, who: who(state, from) });
      if (state.names.has(person) || state.merged.has(person)) refuse("gone", { who: filled(data.words.person, { n: person }) });
      state.personOf.set(track, person);
      state.names.set(person, "");
    },
    boundary(state, { scene, edge, time }) {
      requireInFilm(time);
      const row = state.scenes.findIndex(({ name }) => name === scene), own = state.scenes[row];
      const atBegin = edge === "start", other = state.scenes[atBegin ? row - 1 : row + 1];
      const touches = other && Math.abs(atBegin ? own.start - other.end : other.start - own.end) < SLACK;
      if (other && !touches && (atBegin ? time < other.end - SLACK : time > other.start + SLACK)) {
        refuse("cross", { scene: other.shown, start: clock(other.start), end: clock(other.end) });
      }
      if (touches) requireLength(other, atBegin ? other.start : time, atBegin ? time : other.end);
      requireLength(own, atBegin ? time : own.start, atBegin ? own.end : time);
      own[edge] = time;
      if (touches) other[atBegin ? "end" : "start"] = time;
    },
    exclude(state, { start, end }) {
      requireInFilm(start);
      requireInFilm(end);
      if (!(start < end)) refuse("empty");
      const other = state.spans.find(([from, to]) => start < to - SLACK && from < end - SLACK);
      if (other) refuse("overlap", { start: clock(other[0]), end: clock(other[1]) });
      state.spans.push([start, end]);
    },
  };

  // The run with a list of edits: those that fit, what each says, and those that do not fit any more.
  function withEdits(edits) {
    const state = measured(), fit = [], sayings = [], unfit = [];
    for (const edit of edits) {
      const said = says(state, edit);
      try {
        takes[edit.edit](state, edit);
        fit.push(edit);
        sayings.push(said);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        unfit.push(said);
      }
    }
    return { state, edits: fit, sayings, unfit };
  }

  // A later edit of the same boundary or of the same name takes the place of the earlier one.
  const replaces = (edit, former) => edit.edit === former.edit && (
    (edit.edit === "rename" && edit.person === former.person)
    || (edit.edit === "boundary" && edit.scene === former.scene && edit.edge === former.edge));

  // Adds an edit; throws a RangeError with the reason where it does not fit.
  function added(edits, edit) {
    const others = edits.filter((former) => !replaces(edit, former));
    const kept = withEdits(others).edits.length === others.length ? others : edits; // something may rest on the former
    takes[edit.edit](withEdits(kept).state, edit);
    return [...kept, edit];
  }

  // What is kept in the browser, where the report was made again since: its edits, and those that were added here.
  function restored(kept) {
    if (!kept || !Array.isArray(kept.edits) || !Array.isArray(kept.applied)) return data.applied;
    if (same(kept.applied, data.applied)) return withEdits(kept.edits).edits;
    const has = (list, edit) => list.some((one) => same(one, edit));
    const own = kept.edits.filter((edit) => !has(kept.applied, edit) && !has(data.applied, edit));
    return withEdits([...data.applied, ...own]).edits;
  }

  return { filled, same, clock, parse, timeOf, who, newPerson, tracksOf, withEdits, added, restored };
};

// Plays the film that the reader drops: from the local disk, to the frame, with what was detected laid over it.
(() => {
  "use strict";
  const place = document.getElementById("player");
  if (!place) return; // stills do not play
  const SLACK = 0.002; // s; times in the page and in containers are rounded to thousandths
  const MIB = 1 << 20, BLOCK = 64 << 10, N_BLOCKS = 64; // as film_id of core/film.py
  const FASTEST = 4;
  const notice = place.querySelector(".player-notice"), chooser = place.querySelector("input[type=file]");
  const main = document.querySelector("main");
  let film, stage, video, range, draw; // once a film was given
  let timecode = null; // of a film that carries one
  let zero = null; // the video's clock at film time 0: of its first frame, less the film time at which that is shown
  let opened = null; // called with the clock of the first frame, once that is shown
  let frame = 0, shownAt = 0; // the frame that is shown, and its film time
  let wanted = null; // the frame to go to as soon as the video has arrived where it was sent before
  let step = null; // a step by frames that has not shown another picture yet
  let backwards = null; // since when, from where and how fast the film runs backwards
  let looped = null; // the scene that is repeated
  let playing = null; // the scene that is shown below

  const said = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const pad = (n) => String(n).padStart(2, "0");
  function clock(seconds) {
    const thousandths = Math.round(Math.max(0, seconds) * 1000), whole = Math.floor(thousandths / 1000);
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const rest = `${pad(whole % 60)}${film.decimal}${String(thousandths % 1000).padStart(3, "0")}`;
    return (hours ? `${hours}:${pad(minutes)}` : minutes) + `:${rest}`;
  }
  const short = (seconds) => clock(seconds).slice(0, -2);

  // Going to a time shows the frame that lasts then: the middle of it is sought, so that no rounding leads beside it.
  function goTo(k) {
    const last = Math.max(0, film.clock.of(video.duration - zero - SLACK));
    const target = Math.min(Math.max(k, 0), last);
    if (video.seeking) { wanted = target; return; }
    wanted = null;
    frame = target; // what follows counts from here, though it is shown a little later
    video.currentTime = zero + (film.clock.at(target) + film.clock.at(target + 1)) / 2;
  }
  const seek = (time) => { step = null; goTo(film.clock.of(time + SLACK)); };
  const play = () => video.play().catch(() => {}); // a pause that comes before it has begun is none of our troubles
  const stop = () => { backwards = null; video.pause(); };
  function run(rate) {
    step = null;
    if (rate < 0) {
      video.pause();
      backwards = { rate, from: shownAt, since: performance.now() };
      goTo(frame - 1);
    } else {
      backwards = null;
      video.playbackRate = rate;
      play();
    }
    mark();
  }
  function playFrom(time) {
    const scene = film.sceneAt(time + SLACK);
    if (looped) looped = scene || null;
    stage.classList.remove("closed");
    seek(time);
    run(1);
  }
  const isRunning = () => !video.paused || backwards !== null;

  function stepBy(n) {
    stop();
    step = { by: Math.sign(n), from: shownAt, left: 250 };
    goTo((wanted ?? frame) + n);
  }

  function toScene(by) {
    const at = shownAt + SLACK, here = film.scenes.filter(({ start }) => start <= at).length - 1;
    const back = by < 0 && at - film.scenes[Math.max(here, 0)].start > 1 ? 0 : by; // first to the start of this one
    const scene = film.scenes[Math.min(Math.max(here + back, 0), film.scenes.length - 1)];
    if (looped) looped = scene;
    seek(scene.start);
  }

  function loop() {
    looped = looped ? null : film.sceneAt(shownAt + SLACK) || null;
    mark();
  }

  const does = {
    toggle: () => (isRunning() ? stop() : run(1)),
    back: () => stepBy(-1), on: () => stepBy(1),
    previous: () => toScene(-1), next: () => toScene(1), loop,
    mute: () => { video.muted = !video.muted; mark(); },
    full: () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen()),
    close: () => { stop(); stage.classList.add("closed"); },
    layers: () => {
      const layers = [...stage.querySelectorAll("[data-shows]")], any = layers.some((layer) => layer.checked);
      layers.forEach((layer) => { layer.checked = !any; });
      show();
    },
    second: (by) => seek(shownAt + by),
    shuttle: (by) => {
      const rate = backwards ? backwards.rate : video.paused ? 0 : video.playbackRate;
      run(Math.sign(rate) === by ? by * Math.min(2 * Math.abs(rate), FASTEST) : by);
    },
  };
  const keys = {
    " ": does.toggle, k: stop, l: () => does.shuttle(1), j: () => does.shuttle(-1),
    ArrowLeft: does.back, ArrowRight: does.on, p: does.previous, n: does.next, r: loop, m: does.mute, f: does.full,
    b: does.layers,
  };

  function onKey(event) {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (at.closest("input:not([type=checkbox], [type=range]), textarea, select, .scroll")) return;
    const isTime = at.matches("time[tabindex]");
    if (isTime && (event.key === "Enter" || (event.key === " " && !isRunning()))) {
      event.preventDefault();
      playFrom(timeOf(at));
      return;
    }
    if (!stage.querySelector(".keys-on").checked) return;
    if (event.key === " " && at.closest("button, summary, input[type=checkbox]")) return; // which it works itself
    const name = event.key.length > 1 ? event.key : event.key.toLowerCase();
    const act = event.shiftKey && name.startsWith("Arrow") && keys[name]
      ? () => does.second(name === "ArrowLeft" ? -1 : 1) : keys[name];
    if (!act) return;
    event.preventDefault();
    act();
  }

  // What stands in the page for a time: the time itself, the picture beside it, and a place on a curve.
  const timeOf = (element) => Number.parseFloat(element.dateTime.slice(2)); // PT12.345S
  function onClick(event) {
    const at = event.target, drawn = at.closest(".inside svg, .people svg");
    if (drawn) {
      const { left, width } = drawn.getBoundingClientRect(), { start, end } = drawn.dataset;
      playFrom(Number(start) + ((event.clientX - left) / width) * (end - start));
      return;
    }
    const time = at.closest("time") || (!at.closest("a") && at.closest("img, .crop") && at.closest("figure, li")?.querySelector("time"));
    if (!time) return;
    if (time.closest("summary")) event.preventDefault(); // it plays; the card stays as it is
    playFrom(timeOf(time));
  }

  function show() {
    stage.querySelectorAll("[data-shows]").forEach((layer) =>
      stage.classList.toggle(`without-${layer.dataset.shows}`, !layer.checked));
  }

  function mark() {
    const running = isRunning(), button = stage.querySelector(".toggle");
    stage.classList.toggle("running", running);
    button.setAttribute("aria-label", running ? film.words.pause : film.words.play);
    stage.querySelector("[data-does=loop]").setAttribute("aria-pressed", String(looped !== null));
    stage.querySelector("[data-does=mute]").setAttribute("aria-pressed", String(video.muted));
    const rate = backwards ? backwards.rate : video.playbackRate;
    stage.dataset.rate = running && rate !== 1 ? `${rate}×` : "";
  }

  // The scene that is shown: what was intended and the verdict are those of its card.
  function tellScene(scene) {
    if (playing === scene) return;
    playing = scene;
    const below = stage.querySelector(".playing");
    below.replaceChildren();
    document.querySelectorAll(".now-playing").forEach((one) => one.classList.remove("now-playing"));
    if (!scene) { below.textContent = film.words.no_scene; return; }
    const card = document.getElementById(`scene-${scene.id}`), link = document.createElement("a");
    link.href = `#scene-${scene.id}`;
    link.textContent = scene.name;
    below.append(link);
    card.querySelectorAll(".marks .verdict").forEach((verdict) => below.append(verdict.cloneNode(true)));
    const intended = card.querySelector(".intended");
    if (intended) below.append(intended.cloneNode(true));
    document.querySelectorAll(`[href="#scene-${scene.id}"]`).forEach((one) => one.closest("li")?.classList.add("now-playing"));
    card.classList.add("now-playing");
  }

  // The playhead: where the film is, on every curve and strip of the page.
  function tellTime(time) {
    const { length } = film;
    if (document.activeElement !== range || !range.matches(":active")) range.value = time;
    range.setAttribute("aria-valuetext", short(time));
    const [at, number] = stage.querySelector(".clock").children;
    at.textContent = clock(time);
    const code = timecode?.timecodeOf(Math.floor((time + SLACK) * timecode.rate)); // of its time, as where the rate varies
    number.textContent = [code, said(film.words.frame, { n: frame })].filter(Boolean).join(" · ");
    const scene = film.sceneAt(time + SLACK);
    tellScene(scene);
    document.querySelector(".people")?.style.setProperty("--head", `${(100 * time) / length}%`);
    if (scene) {
      const part = `${(100 * (time - scene.start)) / (scene.end - scene.start)}%`;
      document.querySelectorAll(".card.now-playing, .strip .now-playing").forEach((one) => one.style.setProperty("--head", part));
    }
    document.querySelectorAll(".figure").forEach((figure) => {
      const plot = figure.querySelector(".plot");
      if (!plot.dataset.drawn) return;
      const { margin, xaxis: { range: [from, to] } } = plot.layout;
      const part = (time - from) / (to - from), room = plot.clientWidth - margin.l - margin.r;
      figure.style.setProperty("--head", `${plot.offsetLeft + margin.l + part * room}px`);
      figure.style.setProperty("--head-height", `${plot.clientHeight - margin.b}px`);
      figure.classList.toggle("headed", part >= 0 && part <= 1);
    });
  }

  // Called with every frame that is shown: while the film plays, and after every step and search.
  function shown({ mediaTime }) {
    if (zero === null) { opened(mediaTime); return; }
    const time = mediaTime - zero;
    if (step && Math.abs(time - step.from) < 1e-4 && (step.left -= 1) > 0 && (frame > 0 || step.by > 0)) {
      goTo(frame + step.by); // a picture that is held is sampled several times: on to the next one
      return;
    }
    step = null;
    shownAt = time;
    frame = film.clock.of(time + SLACK);
    draw(time);
    tellTime(time);
    if (looped && !video.paused && film.clock.at(frame + 1) > looped.end - SLACK) goTo(film.clock.of(looped.start + SLACK));
    if (backwards) requestAnimationFrame(runBack);
  }
  function runBack() {
    if (!backwards) return;
    const passed = (performance.now() - backwards.since) / 1000, time = backwards.from + passed * backwards.rate;
    if (frame <= 0) stop(); else goTo(Math.min(frame - 1, film.clock.of(Math.max(0, time))));
  }

  // Whether it is the film that was analysed: the same bytes, else as long and of the same shape.
  async function idOf(file) {
    if (!crypto.subtle) return "";
    const read = (from, size) => file.slice(from, from + size).arrayBuffer();
    const blocks = Array.from({ length: N_BLOCKS }, (_, k) => read(Math.floor((file.size * k) / N_BLOCKS), BLOCK));
    const parts = [new TextEncoder().encode(String(file.size)), read(0, MIB), ...blocks, read(Math.max(0, file.size - MIB), MIB)];
    const whole = await new Blob(await Promise.all(parts)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
    return [...digest.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  function kindOf(id) {
    if (id === film.id) return "same";
    const shape = video.videoWidth / video.videoHeight / (film.width / film.height);
    return Math.abs(video.duration - zero - film.length) <= 1 && Math.abs(shape - 1) < 0.02 ? "like" : "other";
  }
  function tell(kind, values, command) {
    const line = document.createElement("p");
    line.textContent = said(film.words[kind], values);
    notice.className = `player-notice ${kind}`;
    notice.replaceChildren(line);
    if (!command) return;
    const code = document.createElement("code");
    code.textContent = command;
    notice.append(code);
  }
  function refuse(file) {
    const name = /^[\w./-]+$/.test(file.name) ? file.name : `'${file.name.replace(/'/g, "'\\''")}'`;
    tell("unplayable", { name: file.name }, `scenefer proxy ${name}`);
    stage.hidden = true;
    document.body.classList.remove("with-film");
  }

  function begin(mediaTime) {
    zero = mediaTime - film.begins;
    range.max = film.length;
    document.body.classList.add("with-film");
    place.querySelector(".choose").textContent = film.words.another;
    document.querySelectorAll("main time").forEach((time) => {
      if (!time.closest("summary")) { // which is a button itself, and by keyboard does what it does
        time.setAttribute("role", "button");
        time.tabIndex = 0;
      }
      time.title = said(film.words.from, { when: time.textContent });
    });
    frame = 0;
    shownAt = 0;
    draw(0);
    tellTime(0);
    mark();
  }

  function raise() {
    place.append(document.getElementById("stage").content.cloneNode(true));
    stage = place.querySelector(".stage");
    range = stage.querySelector("input[type=range]");
    const screen = stage.querySelector(".screen");
    screen.style.aspectRatio = `${film.width} / ${film.height}`;
    stage.style.setProperty("--shape", film.width / film.height);
    draw = playerOverlay.over(screen, film);
    const strip = document.querySelectorAll(".strip li");
    film.scenes.forEach(({ start, end }, k) => {
      const piece = document.createElement("i");
      piece.className = strip[k]?.className || "silent";
      piece.style.left = `${(100 * start) / film.length}%`;
      piece.style.width = `${(100 * (end - start)) / film.length}%`;
      stage.querySelector(".seek-scenes").append(piece);
    });
    film.excluded.forEach(({ left, width }) => {
      const piece = document.createElement("i");
      piece.className = "excluded over";
      piece.style.left = `${left}%`;
      piece.style.width = `${width}%`;
      stage.querySelector(".seek-scenes").append(piece);
    });
    range.addEventListener("input", () => seek(Number(range.value)));
    stage.querySelectorAll("[data-does]").forEach((button) => button.addEventListener("click", (event) => {
      does[button.dataset.does]();
      if (event.detail) button.blur(); // by mouse: the space bar goes on playing and pausing
    }));
    stage.querySelectorAll("[data-shows]").forEach((layer) => layer.addEventListener("change", show));
    screen.addEventListener("click", does.toggle);
    document.addEventListener("keydown", (event) => zero !== null && onKey(event));
    main.addEventListener("click", (event) => zero !== null && onClick(event));
    document.addEventListener("figure:click", (event) => zero !== null && (event.preventDefault(), playFrom(event.detail)));
    document.addEventListener("figure:moved", () => zero !== null && tellTime(shownAt));
    // Out of sight, the film goes on small in the corner.
    new IntersectionObserver((changes) => {
      const { isIntersecting } = changes.at(-1); // a busy page tells of several at once, the latest last
      if (!isIntersecting) place.style.minHeight = `${place.offsetHeight}px`;
      stage.classList.toggle("docked", !isIntersecting);
      if (isIntersecting) place.style.minHeight = "";
    }, { rootMargin: "-60px 0px -30% 0px" }).observe(place);
  }

  // Every film gets a video of its own, so that no frame of the one before is taken for its first.
  function put(file, done) {
    const before = stage.querySelector("video"), muted = before.muted;
    before.removeAttribute("src");
    if (before.dataset.url) URL.revokeObjectURL(before.dataset.url);
    video = before.cloneNode();
    video.muted = muted;
    video.dataset.url = URL.createObjectURL(file);
    before.replaceWith(video);
    for (const change of ["play", "pause", "ratechange"]) video.addEventListener(change, mark);
    video.addEventListener("seeked", () => { if (wanted !== null) goTo(wanted); });
    video.addEventListener("ended", () => { if (looped) { goTo(film.clock.of(looped.start + SLACK)); play(); } });
    video.addEventListener("loadeddata", () => video.videoWidth || done(null)); // sound alone
    video.addEventListener("error", () => (zero === null ? done(null) : refuse(file)));
    opened = done;
    const own = video, each = (_, said) => {
      if (own !== video) return;
      own.requestVideoFrameCallback(each);
      shown(said);
    };
    own.requestVideoFrameCallback(each);
    video.src = video.dataset.url;
  }

  async function load(file) {
    film ??= await playerData.open();
    timecode ??= film.times && filmTimes(film.times);
    if (!stage) raise();
    zero = wanted = step = backwards = looped = playing = null;
    stage.hidden = false;
    stage.classList.remove("closed");
    notice.replaceChildren();
    const id = idOf(file).catch(() => "");
    const first = await new Promise((done) => put(file, done));
    if (first === null) { refuse(file); return; }
    begin(first);
    const found = kindOf(await id);
    const size = `${video.videoWidth} × ${video.videoHeight}`, ownSize = `${film.width} × ${film.height}`;
    tell(found, { length: short(video.duration), size, own_length: short(film.length), own_size: ownSize });
  }

  place.querySelector(".choose").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => chooser.files.length && load(chooser.files[0]));
  const carriesFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    place.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || place.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer.files.length) load(event.dataTransfer.files[0]);
  });
})();

// Times as people write them, and the film's timecode: the same rules as core/timecode.py.
const filmTimes = (film) => {
  "use strict";
  const { rate: [count, per], first, drop, start } = film;
  const LONGEST = 32; // characters
  const PLAIN = /^\+?(?:\d+(?:[.,]\d*)?|[.,]\d+)$/;
  const CLOCK = /^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$/;
  const UNITS = /^(?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+(?:[.,]\d+)?)s)?$/i;
  const TIMECODE = /^(\d{1,3})[:;](\d{1,2})[:;](\d{1,2})[:;](\d{1,3})$/;
  const rate = count / per, nominal = Math.max(1, Math.round(rate));
  const dropped = nominal / 15; // numbers that drop-frame leaves out at the start of nine minutes in ten
  const number = (text = "0") => Number(text.replace(",", "."));
  const pad = (n, digits = 2) => String(n).padStart(digits, "0");

  // The frame of a timecode, 0 = 00:00:00:00; null where it does not exist at the film's rate.
  function frameOf([hours, minutes, seconds, frames], drops) {
    if (minutes > 59 || seconds > 59 || frames >= nominal) return null;
    const whole = 60 * hours + minutes, all = (60 * whole + seconds) * nominal + frames;
    if (!drops) return all;
    if (per !== 1001 || nominal % 30 || (seconds === 0 && frames < dropped && minutes % 10)) return null;
    return all - dropped * (whole - Math.floor(whole / 10));
  }

  // The film time (s) of a text, or what is wrong with it: {time} or {no}. Of a film that counts drop-frame so does every
  // timecode; many programs write it with colons.
  function read(given) {
    const text = given.trim(), code = TIMECODE.exec(text), parts = CLOCK.exec(text) || UNITS.exec(text);
    if (!text || text.length > LONGEST) return { no: "time" };
    if (code) {
      const frame = frameOf(code.slice(1).map(Number), drop || text.includes(";"));
      if (frame === null) return { no: "number" };
      return frame < first ? { no: "early" } : { time: Math.round((1000 * (frame - first)) / rate) / 1000 };
    }
    if (!parts) return PLAIN.test(text) ? { time: Math.round(1000 * number(text)) / 1000 } : { no: "time" };
    const [, hours, minutes, seconds] = parts, isOver = (part, under) => under && number(part) >= 60;
    if (isOver(minutes, hours) || isOver(seconds, hours || minutes)) return { no: "time" };
    return { time: Math.round(1000 * (3600 * number(hours) + 60 * number(minutes) + number(seconds))) / 1000 };
  }

  // The timecode of a frame of the film, 0 its first.
  function timecodeOf(frame) {
    let all = first + frame;
    if (drop) {
      const tenMinutes = 600 * nominal - 9 * dropped, rest = all % tenMinutes;
      const minutes = Math.floor(Math.max(0, rest - dropped) / (60 * nominal - dropped));
      all += dropped * (9 * Math.floor(all / tenMinutes) + minutes);
    }
    const whole = Math.floor(all / nominal), digits = Math.max(2, String(nominal - 1).length);
    const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60].map((part) => pad(part));
    return `${clock.join(":")}${drop ? ";" : ":"}${pad(all % nominal, digits)}`;
  }

  return { read, timecodeOf, rate, start };
};

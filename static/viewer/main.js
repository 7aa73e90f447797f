// The viewer: wires the open stack, the view, the hands and the words together. One frame is drawn per animation frame at most.

import { DamagedFrame, ExactFrames } from './exact.js';
import { every16 } from './order.js';
import { readFragment, writeFragment } from './fragment.js';
import { clamp } from './geometry.js';
import { Painter } from './paint.js';
import { Stack } from './stack.js';
import { View } from './view.js';
import { dragged } from './window.js';
import { listen } from './ui/gestures.js';
import { Overlay } from './ui/overlay.js';
import { Sheets } from './ui/sheets.js';

const REST_MS = 300; // no move for so long: the reader rests
const PREVIEWS_BYTES = 24e6;
const JUMP_MS = 150; // a wanted frame that is not there after this re-orders the stream
const LEAD = 4; // previews still in the line's queue when the exact frame is asked for: its round trip passes meanwhile
const mark = (name) => performance.getEntriesByName(name).length || performance.mark(name);
const byId = (id) => document.getElementById(id);

const data = JSON.parse(byId('film-data').textContent);
const words = JSON.parse(byId('film-words').textContent);
const viewer = byId('viewer');
const stage = byId('stage');
const root = document.documentElement;
const painter = new Painter(byId('canvas'));
const view = new View(stage, [byId('canvas'), byId('key')]);
const overlay = new Overlay(words);
const exactFrames = new ExactFrames(viewer.dataset.worker);
const opened = new Map(); // stack id -> Stack

let stack = null;
let index = 0;
let wanted = 0; // counts draws: a slow one that is overtaken is dropped
let tool = 'scroll';
let restTimer = 0;
let jumpTimer = 0;
let control = null; // of the exact frame that is being fetched
let underWay = null; // which frame that is: {here, at, done}
let percent = null;
let lost = false;
let pending = false;
let pushed = false;
let shown = { tier: 'preview', index: -1 };

const viewing = () => root.classList.contains('viewing');

function draw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(async () => {
    pending = false;
    const turn = ++wanted;
    const here = stack;
    const at = here.has(index) ? index : here.nearest(index);
    let picture = null;
    if (at >= 0) {
      try {
        picture = await here.picture(at, here.window, here.head.invert);
      } catch {
        here.stream.drop(at); // it does not decode: never drawn, fetched again
        return;
      }
    }
    if (turn !== wanted || here !== stack) return;
    if (picture) {
      painter.paint(picture);
      painter.canvas.hidden = false;
      shown = { tier: at === index ? picture.tier : 'preview', index: at };
      if (picture.tier === 'exact' && at === index) mark('exact');
    }
    tell();
  });
}

function tell() {
  overlay.slice({ index, count: stack.count, tier: shown.index === index ? shown.tier : 'preview', shown: shown.index, percent, lost, damaged: stack.damaged.has(index) });
  overlay.window(stack.window, !stack.head.colour);
  overlay.scale(view.apply(stack.head));
}

function go(to) {
  const next = clamp(to, 0, stack.count - 1);
  if (next === index) return;
  index = next;
  percent = null;
  if (control) control.abort();
  draw();
  settle();
}

/** The reader moved: look again when the hand rests. */
function settle() {
  clearTimeout(restTimer);
  clearTimeout(jumpTimer);
  restTimer = setTimeout(rest, REST_MS);
  jumpTimer = setTimeout(() => {
    if (!stack.has(index) && stack.stream.offsets) stack.stream.jump(index);
  }, JUMP_MS);
  remember();
}

/** At rest: the exact frame first, then the stream goes on (PIXELS.md 7.4). */
async function rest() {
  const here = stack;
  const enough = here.stream.got >= every16(here.count, here.head.key) || here.stream.done;
  if (!enough || here.exact.has(index)) return ahead(here);
  const paused = !here.stream.done;
  if (paused) here.stream.pause();
  await fetchExact(here, index);
  if (paused && here === stack) here.stream.run();
  if (here === stack) ahead(here);
}

/** One exact frame at a time; asking again for the one that is under way waits for it. */
function fetchExact(here, at) {
  if (here.exact.has(at) || here.damaged.has(at)) return undefined;
  if (underWay && underWay.here === here && underWay.at === at) return underWay.done;
  const mine = { here, at };
  underWay = mine;
  mine.done = pullExact(here, at).finally(() => {
    if (underWay === mine) underWay = null;
  });
  return mine.done;
}

async function pullExact(here, at) {
  const mine = (control = new AbortController());
  try {
    const entry = await here.entry(at);
    if (!entry || !entry.length) return;
    const found = await exactFrames.frame(here.head, entry, mine.signal, (part) => {
      percent = Math.round(100 * part);
      if (at === index) tell();
    });
    here.keepExact(at, entry, found);
    lost = false;
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (error instanceof DamagedFrame) here.damaged.add(at);
    else lost = true;
  } finally {
    if (control === mine) control = null;
    percent = null;
  }
  if (here === stack && at === index) draw();
}

/** When all previews are here: the neighbours' exact frames, while the reader rests. */
async function ahead(here) {
  if (!here.stream.done || document.hidden || here.head.rows * here.head.cols > 4e6) return;
  const from = index;
  for (const at of [from + 1, from - 1, from + 2, from - 2]) {
    if (here !== stack || index !== from || control) return;
    if (at >= 0 && at < here.count) await fetchExact(here, at);
  }
}

function arrived(of) {
  return (frame, got) => {
    if (of.id !== stack.head.id) return;
    const enough = every16(of.count, of.key);
    if (got === Math.max(1, enough - LEAD)) fetchExact(stack, index);
    if (got === enough) {
      mark('every16');
      rest();
    }
    if (got === of.count) mark('all');
    if (frame === index || (shown.index !== index && Math.abs(frame - index) < Math.abs(shown.index - index))) draw();
  };
}

function changed(of) {
  return (state) => {
    if (of.id !== stack.head.id) return;
    lost = state === 'lost';
    tell();
    if (state === 'done') rest();
  };
}

/** Open a stack of the strip; the first comes with the page, another with one small request. */
async function openStack(id, at = null) {
  if (stack && stack.head.id === id) return at === null || go(at);
  let next = opened.get(id);
  if (!next) {
    const line = data.stacks.find((s) => s.id === id);
    if (!line) return;
    let { head } = { head: line };
    let frames = null;
    if (!line.preview) {
      const answer = await fetch(line.index);
      if (!answer.ok) {
        lost = true;
        return tell();
      }
      ({ head, frames } = await answer.json());
    }
    next = new Stack(head, { arrived: arrived(head), changed: changed(head) });
    next.frames = frames;
    opened.set(id, next);
    letGo();
  }
  if (stack) stack.stream.pause();
  stack = next;
  index = clamp(at ?? (stack.index ?? stack.head.key), 0, stack.count - 1);
  shown = { tier: 'preview', index: -1 };
  view.reset();
  overlay.title(stack.head);
  overlay.letters(stack.head.letters);
  sheets.presets(stack.head, stack.window, chooseWindow);
  for (const button of document.querySelectorAll('.ser')) button.setAttribute('aria-pressed', button.dataset.stack === id);
  for (const button of document.querySelectorAll('[data-grey]')) button.disabled = !!stack.head.colour;
  if (!stack.stream.done) stack.stream.run(0, start.take(id));
  draw();
  settle();
}

/** Compressed previews of all open series stay under 24 MB: the one opened first goes first (PIXELS.md 8). */
function letGo() {
  let bytes = 0;
  for (const one of opened.values()) bytes += one.stream.bytes;
  for (const [id, one] of opened) {
    if (bytes <= PREVIEWS_BYTES) return;
    if (one === stack || one.stream.bytes === 0) continue;
    bytes -= one.stream.bytes;
    opened.delete(id);
  }
}

function chooseWindow(window) {
  stack.window = window;
  sheets.presets(stack.head, window, chooseWindow);
  draw();
  remember();
}

function chooseTool(name) {
  tool = name;
  for (const button of document.querySelectorAll('[data-tool]')) button.setAttribute('aria-pressed', button.dataset.tool === name);
}

function reset() {
  view.reset();
  chooseWindow(stack.head.windows[0] ? stack.head.windows[0].slice(0, 3) : stack.window);
}

let rememberTimer = 0;
function remember() {
  clearTimeout(rememberTimer);
  rememberTimer = setTimeout(() => {
    stack.index = index;
    if (viewing()) history.replaceState(history.state, '', writeFragment(stack.head.id, index, stack.window));
  }, 250);
}

function follow() {
  const asked = readFragment(location.hash);
  root.classList.toggle('viewing', !!asked);
  if (asked) {
    const known = asked.stack && data.stacks.some((s) => s.id === asked.stack) ? asked.stack : stack.head.id;
    Promise.resolve(openStack(known, asked.index)).then(() => {
      if (asked.window) chooseWindow([...asked.window, stack.window[2]]);
    });
  } else {
    sheets.close(false);
    view.reset();
  }
  requestAnimationFrame(tell);
}

function open() {
  pushed = true;
  location.hash = writeFragment(stack.head.id, index, stack.window);
}

function close() {
  if (sheets.close()) return;
  if (pushed) history.back();
  else {
    history.replaceState(history.state, '', location.pathname + location.search);
    follow();
  }
  pushed = false;
}

const sheets = new Sheets(words, () => requestAnimationFrame(tell));
const start = {
  ...(window.filmStart || {}),
  take(id) {
    const answer = id === data.stacks[0].id ? this.stack : null;
    this.stack = null;
    return answer;
  },
};
const want = {
  active: viewing,
  tool: () => tool,
  count: () => stack.count,
  last: () => stack.count - 1,
  step: (n) => go(index + n),
  jump: go,
  window: (dx, dy) => {
    if (stack.head.colour) return;
    stack.window = dragged(stack.window, dx, -dy);
    draw();
  },
  zoom: (factor, x, y) => {
    view.zoomAt(factor, x, y);
    tell();
  },
  pan: (dx, dy) => {
    view.pan(dx, dy);
    tell();
  },
  reset,
  open,
  close,
  settled: () => {
    settle();
    sheets.presets(stack.head, stack.window, chooseWindow);
  },
  choose: chooseTool,
  presets: () => sheets.toggle('presets'),
  report: () => sheets.toggle('report'),
  stack: (n) => {
    const at = data.stacks.findIndex((s) => s.id === stack.head.id) + n;
    if (data.stacks[at]) openStack(data.stacks[at].id);
  },
};

const life = new AbortController();
const canvas = painter.canvas;
canvas.onpointerdown = canvas.onpointermove = canvas.onpointerup = canvas.onpointercancel = null; // the first script's hands
listen(stage, want, life.signal);
overlay.rail.addEventListener('input', () => go(overlay.rail.value - 1));
for (const button of document.querySelectorAll('[data-step]')) button.addEventListener('click', () => go(index + +button.dataset.step));
for (const button of document.querySelectorAll('[data-tool]')) button.addEventListener('click', () => chooseTool(button.dataset.tool));
for (const button of document.querySelectorAll('[data-stack]')) button.addEventListener('click', () => openStack(button.dataset.stack));
byId('reset').addEventListener('click', reset);
byId('close').addEventListener('click', (e) => {
  e.preventDefault();
  close();
});
window.addEventListener('hashchange', follow);
window.addEventListener('resize', () => tell());
document.addEventListener('visibilitychange', () => {
  if (document.hidden) for (const one of opened.values()) one.forget();
  else {
    draw();
    settle();
  }
});
window.addEventListener('online', () => stack.stream.done || stack.stream.run());

/** What tests ask. */
window.film = {
  state: () => ({ stack: stack.head.id, index, tier: shown.index === index ? shown.tier : 'none', window: stack.window, got: stack.stream.got, zoom: view.zoom, damaged: stack.damaged.has(index), tool }),
  show: (i) => go(i),
  exact: async (i) => {
    const entry = await stack.entry(i);
    return exactFrames.frame(stack.head, entry, new AbortController().signal, () => {});
  },
};

openStack(data.stacks[data.open || 0].id);
if (start.codes && data.stacks[0].prows === byId('canvas').height) {
  stack.codes.set(stack.head.key, { rows: data.stacks[0].prows, cols: data.stacks[0].pcols, cells: start.codes });
}
follow();
mark('module');

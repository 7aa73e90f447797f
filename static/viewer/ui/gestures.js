// Hands on the stage: touch, pen, mouse, wheel, keys (SCREENS.md, Gestures). Says what is wanted; does nothing itself.

const TAP_MS = 300;
const TAP_PX = 12;
const FRICTION = 0.94;

/**
 * @param {HTMLElement} stage
 * @param {{active(): boolean, tool(): string, count(): number, step(n), jump(i), last(): number, window(dx, dy), zoom(factor, x, y), pan(dx, dy),
 *   reset(), open(), settled(), choose(tool), stack(n), report(), close()}} want
 * @param {AbortSignal} signal ends all listeners
 */
export function listen(stage, want, signal) {
  const pointers = new Map();
  const on = (target, type, act, options = {}) => target.addEventListener(type, act, { signal, ...options });
  let carried = 0; // pixels of a scroll that are not a whole frame yet
  let speed = 0; // pixels a millisecond
  let lastTap = 0;
  let coast = 0;
  let drag = null; // what this drag does

  const pixelsAFrame = () => Math.min(24, Math.max(4, (stage.clientHeight * 0.8) / want.count()));
  function scroll(dy) {
    carried += dy;
    const size = pixelsAFrame();
    const steps = Math.trunc(carried / size);
    if (steps) {
      carried -= steps * size;
      want.step(steps);
    }
  }
  function act(kind, dx, dy, x, y) {
    if (kind === 'scroll') scroll(dy);
    else if (kind === 'window') want.window(dx, -dy);
    else if (kind === 'zoom') want.zoom(Math.exp(-dy / 150), x, y);
    else if (kind === 'pan') want.pan(dx, dy);
  }
  const middle = (e) => {
    const box = stage.getBoundingClientRect();
    return [e.clientX - box.left - box.width / 2, e.clientY - box.top - box.height / 2];
  };

  on(stage, 'pointerdown', (e) => {
    if (!want.active()) return;
    cancelAnimationFrame(coast);
    stage.setPointerCapture(e.pointerId);
    pointers.set(e.pointerId, { x: e.clientX, y: e.clientY, t: e.timeStamp, x0: e.clientX, y0: e.clientY, t0: e.timeStamp });
    speed = 0;
    carried = 0;
    if (e.pointerType === 'mouse') drag = e.button === 2 ? 'window' : e.button === 1 || want.space ? 'pan' : want.tool();
    else drag = pointers.size > 1 ? 'two' : want.tool();
  });
  on(stage, 'pointermove', (e) => {
    const p = pointers.get(e.pointerId);
    if (!p || !want.active()) return;
    const dx = e.clientX - p.x;
    const dy = e.clientY - p.y;
    if (pointers.size > 1) {
      const other = [...pointers.values()].find((q) => q !== p);
      const before = Math.hypot(p.x - other.x, p.y - other.y);
      const after = Math.hypot(e.clientX - other.x, e.clientY - other.y);
      const box = stage.getBoundingClientRect();
      const mx = (e.clientX + other.x) / 2 - box.left - box.width / 2;
      const my = (e.clientY + other.y) / 2 - box.top - box.height / 2;
      want.pan(dx / 2, dy / 2);
      if (before > 0) want.zoom(after / before, mx, my);
    } else if (drag !== 'two') {
      const [x, y] = middle({ clientX: p.x0, clientY: p.y0 });
      act(drag, dx, dy, x, y);
      const dt = e.timeStamp - p.t;
      if (dt > 0) speed = 0.7 * speed + 0.3 * (dy / dt);
    }
    p.x = e.clientX;
    p.y = e.clientY;
    p.t = e.timeStamp;
  });
  const up = (e) => {
    const p = pointers.get(e.pointerId);
    if (!p) return;
    pointers.delete(e.pointerId);
    const still = Math.hypot(e.clientX - p.x0, e.clientY - p.y0) < TAP_PX && e.timeStamp - p.t0 < TAP_MS;
    if (still && drag !== 'two' && e.button === 0) {
      if (e.timeStamp - lastTap < TAP_MS) want.reset();
      lastTap = e.timeStamp;
    } else if (drag === 'scroll' && Math.abs(speed) > 0.2 && e.timeStamp - p.t < 60 && e.pointerType !== 'mouse') {
      glide();
    }
    if (pointers.size === 0) {
      drag = null;
      want.settled();
    }
  };
  on(stage, 'pointerup', up);
  on(stage, 'pointercancel', up);
  function glide() {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    let last = performance.now();
    const beat = (now) => {
      const dt = Math.min(50, now - last);
      last = now;
      scroll(speed * dt);
      speed *= FRICTION ** (dt / 16);
      if (Math.abs(speed) > 0.05 && want.active()) coast = requestAnimationFrame(beat);
      else want.settled();
    };
    coast = requestAnimationFrame(beat);
  }

  on(stage, 'click', () => {
    if (!want.active()) want.open();
  });
  on(stage, 'contextmenu', (e) => want.active() && e.preventDefault());
  on(
    stage,
    'wheel',
    (e) => {
      if (!want.active()) return;
      e.preventDefault();
      if (e.ctrlKey) want.zoom(Math.exp(-e.deltaY / 300), ...middle(e));
      else if (Math.abs(e.deltaY) >= 40 || e.deltaMode) want.step(Math.sign(e.deltaY));
      else scroll(e.deltaY);
      want.settled();
    },
    { passive: false },
  );
  on(document, 'keydown', (e) => {
    if (!want.active() || e.altKey || e.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
    const keys = {
      ArrowUp: () => want.step(-1),
      ArrowDown: () => want.step(1),
      PageUp: () => want.step(-10),
      PageDown: () => want.step(10),
      Home: () => want.jump(0),
      End: () => want.jump(want.last()),
      '+': () => want.zoom(1.25),
      '=': () => want.zoom(1.25),
      '-': () => want.zoom(0.8),
      r: want.reset,
      0: want.reset,
      s: () => want.choose('scroll'),
      w: () => want.choose('window'),
      z: () => want.choose('zoom'),
      p: () => want.presets(),
      i: want.report,
      '[': () => want.stack(-1),
      ']': () => want.stack(1),
      Escape: want.close,
    };
    const shifted = { ArrowUp: [0, -30], ArrowDown: [0, 30], ArrowLeft: [-30, 0], ArrowRight: [30, 0] };
    if (e.key === ' ') want.space = true;
    const windowed = want.tool() === 'window' && { ArrowUp: [0, 10], ArrowDown: [0, -10], ArrowLeft: [-10, 0], ArrowRight: [10, 0] }[e.key];
    let done = true;
    if (e.shiftKey && shifted[e.key]) want.pan(...shifted[e.key]);
    else if (windowed) want.window(...windowed);
    else if (!e.ctrlKey && (keys[e.key] || keys[e.key.toLowerCase()])) (keys[e.key] || keys[e.key.toLowerCase()])();
    else done = e.key === ' ';
    if (done) {
      e.preventDefault();
      want.settled();
    }
  });
  on(document, 'keyup', (e) => {
    if (e.key === ' ') want.space = false;
  });
}

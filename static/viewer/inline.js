// The first script, inside the page: the preview stack is asked for at once, the key frame becomes a canvas whose window can be dragged.
// It must stay tiny: it is part of the first flight. The module takes over through window.filmStart.
(() => {
  const mark = (name) => performance.mark(name);
  const byId = (id) => document.getElementById(id);
  const head = JSON.parse(byId('film-data').textContent).stacks[0];
  const key = byId('key');
  const canvas = byId('canvas');
  const start = (window.filmStart = { stack: fetch(head.preview), head });
  start.stack.catch(() => 0);
  function ready() {
    const { naturalWidth: w, naturalHeight: h } = key;
    canvas.width = w;
    canvas.height = h;
    const g = canvas.getContext('2d', { willReadFrequently: true });
    g.drawImage(key, 0, 0);
    const image = g.getImageData(0, 0, w, h);
    const p = new Uint32Array(image.data.buffer);
    const codes = (start.codes = head.colour ? p.slice() : new Uint8Array(p.length));
    if (!head.colour) for (let i = 0; i < p.length; i++) codes[i] = p[i]; // a loop: from() with a function costs 100 ms on a slow phone
    let [c, width] = head.windows[0] || [0, 0];
    start.draw = () => {
      if (!head.table || !width) return;
      const t = head.table.map((x) => {
        let y = width > 1 ? (x - (c - 0.5)) * (255 / (width - 1)) + 127.5 : x > c - 0.5 ? 255 : 0;
        y = y < 0 ? 0 : y > 255 ? 255 : y;
        y = (head.invert ? 255 - y : y) | 0;
        return 0xff000000 | (y << 16) | (y << 8) | y;
      });
      for (let i = 0; i < p.length; i++) p[i] = t[codes[i]];
      g.putImageData(image, 0, 0);
    };
    if (!head.windows[0] || head.windows[0][2] === 'LINEAR') start.draw();
    else g.drawImage(key, 0, 0);
    mark('key-drawn');
    let last = null;
    canvas.onpointerdown = (e) => (last = e);
    canvas.onpointerup = canvas.onpointercancel = () => (last = null);
    canvas.onpointermove = (e) => {
      if (!last || !document.documentElement.classList.contains('viewing')) return;
      width = Math.max(1, width + 2 * (e.clientX - last.clientX));
      c += e.clientY - last.clientY;
      last = e;
      requestAnimationFrame(start.draw);
    };
    canvas.hidden = false;
    key.classList.add('under');
    mark('windowable');
    start.drawn = true;
  }
  if (/^#v/.test(location.hash)) document.documentElement.classList.add('viewing');
  if (key.complete && key.naturalWidth) ready();
  else key.onload = ready;
})();

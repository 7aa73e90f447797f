// One preview stack PVS1 as it streams in (PIXELS.md 4, 7): one GET; a pause or a jump aborts it and ranges again, what came is kept.

import { transferOrder } from './order.js';

export class PreviewStream {
  /**
   * @param {{count: number, key: number, preview: string}} head
   * @param {(frame: number, got: number) => void} arrived
   * @param {(state: 'open'|'lost'|'done') => void} changed
   */
  constructor(head, arrived, changed) {
    this.head = head;
    this.arrived = arrived;
    this.changed = changed;
    this.order = transferOrder(head.count, head.key);
    this.place = new Map(this.order.map((frame, position) => [frame, position]));
    this.files = new Array(head.count);
    this.offsets = null; // of each position, and of the end
    this.got = 0;
    this.bytes = 0;
    this.control = null;
  }

  get done() {
    return this.got === this.head.count;
  }

  /** Stream on from the first frame that is missing at or after `position`. `first`: an answer that is already under way. */
  async run(position = 0, first = null) {
    this.pause();
    const control = (this.control = new AbortController());
    let wait = 500;
    while (!this.done && this.control === control) {
      const before = this.got;
      try {
        await this.#pull(this.#missingFrom(position), first, control);
        if (this.control !== control) return;
        if (this.got === before) throw new Error('nothing came'); // asked again at once it would be asked for ever
        wait = 500;
        position = 0;
        if (this.done && this.control === control) this.control = null;
        this.changed(this.done ? 'done' : 'open');
      } catch (error) {
        if (this.control !== control || control.signal.aborted) return;
        this.changed('lost');
        if (error.final) return; // the right has ended, or the object is another: asking again changes nothing
        await new Promise((go) => setTimeout(go, wait));
        wait = Math.min(8000, wait * 2);
      }
      first = null;
    }
  }

  /** Stop the stream where it is. */
  pause() {
    const control = this.control;
    this.control = null;
    if (control) control.abort();
  }

  /** The wanted frame next, then what follows it in the order. */
  jump(frame) {
    return this.run(this.place.get(frame));
  }

  /** A frame that came whole but cannot be read: it is asked for once more. */
  drop(frame) {
    if (!this.files[frame]) return;
    this.files[frame] = undefined;
    this.got--;
    this.dropped = (this.dropped || 0) + 1;
    if (!this.control && this.dropped < 4) this.run();
  }

  #missingFrom(position) {
    const { count } = this.head;
    for (let i = 0; i < count; i++) {
      const at = (position + i) % count;
      if (!this.files[this.order[at]]) return at;
    }
    return 0;
  }

  async #pull(position, first, control) {
    const from = this.offsets ? this.offsets[position] : 0;
    const answer = await (first || fetch(this.head.preview, { headers: { Range: `bytes=${from}-` }, signal: control.signal }));
    if (!answer.ok) throw Object.assign(new Error(`preview ${answer.status}`), { final: answer.status < 500 });
    if (from && answer.status !== 206) throw new Error('the server sent no range');
    const reader = answer.body.getReader();
    const stop = () => reader.cancel().catch(() => {});
    control.signal.addEventListener('abort', stop, { once: true });
    let rest = new Uint8Array(0);
    for (;;) {
      const { done, value } = await reader.read();
      if (done || control.signal.aborted) break;
      this.bytes += value.length;
      rest = rest.length ? joined(rest, value) : value;
      if (!this.offsets) rest = this.#readHeader(rest);
      while (this.offsets && position < this.head.count) {
        const size = this.offsets[position + 1] - this.offsets[position];
        if (rest.length < size) break;
        this.#keep(this.order[position], rest.slice(0, size));
        rest = rest.subarray(size);
        position++;
      }
      const next = this.order[position];
      if (this.offsets && position < this.head.count && this.files[next]) {
        stop(); // what follows is here already: range again at the next gap
        break;
      }
    }
    control.signal.removeEventListener('abort', stop);
    if (!this.offsets && !control.signal.aborted) throw new Error('the preview stack was cut short');
  }

  #keep(frame, bytes) {
    if (this.files[frame]) return;
    this.files[frame] = bytes;
    this.got++;
    this.arrived(frame, this.got);
  }

  #readHeader(bytes) {
    const { count } = this.head;
    const length = 12 + 4 * count;
    if (bytes.length < length) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    const magic = String.fromCharCode(bytes[0], bytes[1], bytes[2], bytes[3]);
    if (magic !== 'PVS1' || view.getUint32(4, true) !== count || view.getUint32(8, true) !== this.head.key) {
      throw Object.assign(new Error('not the preview stack of this series'), { final: true });
    }
    this.offsets = new Array(count + 1);
    let at = (this.offsets[0] = length);
    for (let i = 0; i < count; i++) this.offsets[i + 1] = at += view.getUint32(12 + 4 * i, true);
    return bytes.subarray(length);
  }
}

function joined(a, b) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

// One open stack: what is there of each frame, in which tier, and the best that can be shown now (PIXELS.md 3, 8).

import { Cache } from './cache.js';
import { PreviewStream } from './preview.js';
import { codesOf, decodePicture } from './picture.js';
import { exactTable, previewTable } from './window.js';

const CODES_BYTES = 16 << 20;
const EXACT_BYTES = 32 << 20;

export class Stack {
  constructor(head, listeners) {
    this.head = prepared(head);
    this.frames = null; // exact index, fetched when it is first needed
    this.codes = new Cache(CODES_BYTES, (value) => value.cells.byteLength);
    this.exact = new Cache(EXACT_BYTES, (value) => (value.samples || value.words).byteLength);
    this.damaged = new Set();
    this.stream = new PreviewStream(head, listeners.arrived, listeners.changed);
    this.window = head.windows[0] ? head.windows[0].slice(0, 3) : autoWindow(head);
  }

  get count() {
    return this.head.count;
  }

  /** Exact entry of a frame; the first one comes with the page, the rest in one small request. */
  async entry(index) {
    if (index === this.head.key && !this.frames && this.head.keyExact.length) return [...this.head.keyExact, null, null, null];
    if (!this.frames) {
      const answer = await fetch(this.head.index);
      if (!answer.ok) throw new Error(`index ${answer.status}`);
      this.frames = (await answer.json()).frames;
    }
    return this.frames[index];
  }

  /** Index of the nearest frame of which something is here; -1: nothing. */
  nearest(index) {
    for (let d = 0; d < this.count; d++) {
      if (this.has(index - d)) return index - d;
      if (this.has(index + d)) return index + d;
    }
    return -1;
  }

  has(index) {
    return index >= 0 && index < this.count && (this.exact.has(index) || this.codes.has(index) || !!this.stream.files[index]);
  }

  /** What to paint for a frame that is here: {rows, cols, cells, table} or {rows, cols, words}. */
  async picture(index, window, inverted) {
    const { rows, cols } = this.head;
    const exact = this.exact.get(index);
    if (exact && exact.words) return { tier: 'exact', rows, cols, words: exact.words };
    if (exact) return { tier: 'exact', rows, cols, cells: exact.samples, table: this.#exactTable(exact, window, inverted) };
    let codes = this.codes.get(index);
    if (!codes) {
      const { rows: r, cols: c, words } = await decodePicture(this.stream.files[index], 'image/webp');
      codes = { rows: r, cols: c, cells: this.head.colour ? words : codesOf(words) };
      this.codes.set(index, codes);
    }
    if (this.head.colour) return { tier: 'preview', rows: codes.rows, cols: codes.cols, words: codes.cells };
    return { tier: 'preview', ...codes, table: this.#previewTable(window, inverted) };
  }

  #previewTable(window, inverted) {
    const key = `${window}|${inverted}`;
    if (this.previewKey !== key) {
      this.previewKey = key;
      this.preview = previewTable(this.head.table, window, inverted);
    }
    return this.preview;
  }

  #exactTable({ samples, bias, slope, intercept }, window, inverted) {
    const size = samples.BYTES_PER_ELEMENT === 1 ? 256 : 65536;
    const key = `${window}|${inverted}|${size}|${bias}|${slope}|${intercept}`;
    if (this.exactKey !== key) {
      this.exactKey = key;
      this.exactGrey = exactTable(this.head, { size, bias, slope, intercept }, window, inverted);
    }
    return this.exactGrey;
  }

  keepExact(index, entry, found) {
    const [, , , , , , , slope, intercept] = entry;
    this.exact.set(index, { ...found, slope: slope ?? this.head.slope, intercept: intercept ?? this.head.intercept });
  }

  /** The page is hidden: what can be made again goes. */
  forget() {
    this.codes.clear();
    this.exact.clear();
  }
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** A head with its tables as arrays. */
export function prepared(head) {
  if (head.lut && typeof head.lut.values === 'string') {
    const bytes = bytesOf(head.lut.values);
    head.lut = { ...head.lut, values: new Uint16Array(bytes.buffer) };
  }
  if (head.lut && typeof head.lut.rgb === 'string') head.lut = { ...head.lut, rgb: bytesOf(head.lut.rgb) };
  return head;
}

function autoWindow({ table }) {
  if (!table) return [128, 256, 'LINEAR'];
  const low = Math.min(...table);
  const high = Math.max(...table);
  return [(low + high) / 2, Math.max(1, high - low), 'LINEAR'];
}

// Exact frames: the worker fetches, checks and decodes; here they are asked for, one at a time, and what is no longer wanted is aborted.

import { paletteWords } from './colour.js';
import { decodePicture, codesOf } from './picture.js';

export class DamagedFrame extends Error {}

export class ExactFrames {
  /** @param {string} url of the worker's script */
  constructor(url) {
    this.worker = new Worker(url);
    this.worker.onmessage = ({ data }) => this.#answered(data);
    this.waiting = new Map();
    this.next = 0;
  }

  /**
   * @param {object} head of the stack  @param {Array} entry [at, size, bias, codec, green, crc32, position, slope, intercept]
   * @returns {Promise<{samples: Uint8Array|Uint16Array, bias: number} | {words: Uint32Array}>} grey samples, or RGBA words; rejects with
   *   DamagedFrame when what came is not what was stored, AbortError when it is no longer wanted
   */
  frame(head, entry, signal, progress) {
    const id = ++this.next;
    const [at, size, bias, codec, green, crc] = entry;
    const { rows, cols, samples, photometric, cell, planar, bits } = head;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress, head, bias });
      signal.addEventListener('abort', () => {
        if (!this.waiting.delete(id)) return;
        this.worker.postMessage({ id, abort: true });
        reject(new DOMException('no longer wanted', 'AbortError'));
      });
      const url = new URL(head.exact, location.href).href;
      this.worker.postMessage({ id, url, at, size, codec, green, crc, rows, cols, samples, photometric, cell, planar, bits });
    });
  }

  async #answered({ id, error, damaged, progress, samples, words, picture }) {
    const asked = this.waiting.get(id);
    if (!asked) return;
    if (progress !== undefined) return asked.progress(progress);
    this.waiting.delete(id);
    if (error) return asked.reject(damaged ? new DamagedFrame(error) : new Error(error));
    const { head, bias } = asked;
    if (words) return asked.resolve({ words });
    if (samples && head.lut?.kind === 'palette') return asked.resolve({ words: paletteWords(samples, bias, head.lut) });
    if (samples) return asked.resolve({ samples, bias });
    try {
      const { rows, cols, words: decoded } = await decodePicture(picture, 'image/jpeg');
      if (rows !== head.rows || cols !== head.cols) throw new DamagedFrame('size');
      asked.resolve(head.colour ? { words: decoded } : { samples: codesOf(decoded), bias: 0 });
    } catch {
      asked.reject(new DamagedFrame('the browser could not read it'));
    }
  }
}

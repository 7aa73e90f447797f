// Colour samples to RGBA words (PIXELS.md 2 rule 6; PS3.3 C.7.6.3.1.2).

/** @param {Uint8Array|Uint16Array} s pixel-interleaved, 3 samples  @param {number} bits of a sample  @param {boolean} green planes are R-G, G, B-G */
export function rgbWords(s, bits, green, photometric) {
  const n = s.length / 3;
  const out = new Uint32Array(n);
  const mask = (1 << bits) - 1;
  const half = 1 << (bits - 1);
  const down = bits > 8 ? bits - 8 : 0;
  const ybr = photometric.startsWith('YBR_FULL');
  for (let i = 0, k = 0; i < n; i++, k += 3) {
    let r = s[k];
    let g = s[k + 1];
    let b = s[k + 2];
    if (green) {
      r = (r + g - half) & mask;
      b = (b + g - half) & mask;
    }
    r >>= down;
    g >>= down;
    b >>= down;
    if (ybr) {
      const y = r;
      const cb = g - 128;
      const cr = b - 128;
      r = byte(y + 1.402 * cr);
      g = byte(y - 0.344136 * cb - 0.714136 * cr);
      b = byte(y + 1.772 * cb);
    }
    out[i] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  }
  return out;
}

const byte = (x) => (x < 0 ? 0 : x > 255 ? 255 : Math.round(x));

/** Palette colour: each cell through its table, 3 bytes an entry. PS3.3 C.7.6.3.1.5, C.7.9. */
export function paletteWords(s, bias, { first, rgb }) {
  const last = rgb.length / 3 - 1;
  const out = new Uint32Array(s.length);
  for (let k = 0; k < s.length; k++) {
    const i = 3 * Math.min(last, Math.max(0, s[k] + bias - first));
    out[k] = (0xff000000 | (rgb[i + 2] << 16) | (rgb[i + 1] << 8) | rgb[i]) >>> 0;
  }
  return out;
}

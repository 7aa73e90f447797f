// From stored code or cell to 8-bit grey: the one table everything is drawn with (PIXELS.md 2; PS3.3 C.11).

/**
 * Grey 0..255, not yet rounded, of a value under a window. PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT), C.11.2.1.3.1 (SIGMOID).
 * @param {number} x modality value  @param {[number, number, string]} window centre, width, function
 */
export function grey(x, [centre, width, kind]) {
  if (kind === 'SIGMOID') return 255 / (1 + Math.exp((-4 * (x - centre)) / width));
  const exact = kind === 'LINEAR_EXACT';
  const c = exact ? centre : centre - 0.5;
  const w = exact ? width : width - 1;
  const y = w > 0 ? (x - c) * (255 / w) + 127.5 : x > c ? 255 : 0; // this order of operations: others lose a level where y is whole
  return y < 0 ? 0 : y > 255 ? 255 : y;
}

/** RGBA word (little endian) of a grey: floor, byte for byte what DCMTK draws. */
const word = (y, inverted) => {
  const g = Math.floor(inverted ? 255 - y : y);
  return (0xff000000 | (g << 16) | (g << 8) | g) >>> 0;
};

/** Table of the 256 preview codes. @param {number[]} values modality value of each code */
export function previewTable(values, window, inverted) {
  return Uint32Array.from(values, (x) => word(grey(x, window), inverted));
}

/** Modality value of a stored value: LUT, else slope and intercept. PS3.3 C.11.1. */
export function modality(head, slope, intercept) {
  if (head.lut && head.lut.kind === 'modality') {
    const { first, values } = head.lut;
    return (v) => values[Math.min(values.length - 1, Math.max(0, v - first))];
  }
  return (v) => v * slope + intercept;
}

/** Stored value of a cell: mask and sign by Bits Stored and High Bit; bits above may hold old overlays. PS3.5 8.1.1. */
export function storedValue(cell, { bits, high, signed }) {
  const v = (cell >>> (high + 1 - bits)) & ((1 << bits) - 1);
  return signed && v & (1 << (bits - 1)) ? v - (1 << bits) : v;
}

/**
 * Table of the samples of an exact frame: sample + bias is the cell. Padding draws black whatever the window or the inversion (PS3.3 C.7.5.1.1.2).
 * @param {number} size number of different samples (256 or 65536)
 */
export function exactTable(head, { size, bias, slope, intercept }, window, inverted) {
  const value = modality(head, slope, intercept);
  const table = new Uint32Array(size);
  for (let sample = 0; sample < size; sample++) {
    const v = storedValue((sample + bias) & 0xffff, head);
    const padding = head.padding && v >= head.padding[0] && v <= head.padding[1];
    table[sample] = padding ? 0xff000000 : word(grey(value(v), window), inverted);
  }
  return table;
}

/** A window moved by a drag: dx pixels change the width, dy the centre, in steps that fit the window's size. */
export function dragged([centre, width, kind], dx, dy) {
  const step = Math.max(0.01, width / 300);
  const least = kind === 'LINEAR' ? 1 : 0.01;
  return [round(centre + dy * step), round(Math.max(least, width + dx * step)), kind];
}

const round = (x) => (Math.abs(x) < 20 ? Math.round(x * 100) / 100 : Math.round(x));

/** Presets by modality: [word key, centre, width]. */
export const PRESETS = {
  CT: [
    ['lung', -600, 1500],
    ['mediastinum', 40, 400],
    ['bone', 450, 1500],
    ['brain', 40, 80],
    ['abdomen', 60, 350],
  ],
};

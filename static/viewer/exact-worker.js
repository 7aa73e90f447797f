// The worker: one exact frame's bytes by range, their CRC, their decoding. Nothing that fails a check leaves here.

import { crc32 } from './crc32.js';
import { decodeJpegLs } from './jpegls.js';
import { rgbWords } from './colour.js';

const running = new Map();

onmessage = async ({ data }) => {
  if (data.abort) {
    const control = running.get(data.id);
    if (control) control.abort();
    return;
  }
  const control = new AbortController();
  running.set(data.id, control);
  try {
    const bytes = await whole(data, control.signal);
    const answer = decoded(data, bytes);
    const moved = (answer.samples || answer.words || answer.picture).buffer;
    postMessage({ id: data.id, ...answer }, [moved]);
  } catch (error) {
    postMessage({ id: data.id, error: error.message, damaged: !!error.damaged });
  } finally {
    running.delete(data.id);
  }
};

const damaged = (why) => Object.assign(new Error(why), { damaged: true });

/** The frame's bytes, whole and right; fetched once more when they are not. */
async function whole(asked, signal) {
  for (let turn = 0; ; turn++) {
    const bytes = await fetched(asked, signal);
    if (bytes.length === asked.size && crc32(bytes) === asked.crc) return bytes;
    if (turn) throw damaged('crc');
  }
}

async function fetched({ id, url, at, size }, signal) {
  const answer = await fetch(url, { headers: { Range: `bytes=${at}-${at + size - 1}` }, signal });
  if (answer.status !== 206) throw new Error(`exact ${answer.status}`);
  const bytes = new Uint8Array(size);
  const reader = answer.body.getReader();
  let got = 0;
  let told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return got === size ? bytes : bytes.subarray(0, got);
    if (got + value.length > size) throw damaged('too long');
    bytes.set(value, got);
    got += value.length;
    if (got - told > size / 10) postMessage({ id, progress: (told = got) / size });
  }
}

function decoded(asked, bytes) {
  const { codec, rows, cols, samples, photometric, green, bits } = asked;
  if (codec === 'jpeg') return { picture: bytes };
  let found;
  if (codec === 'raw') found = raw(asked, bytes);
  else {
    try {
      found = decodeJpegLs(bytes, rows * cols * samples);
    } catch {
      throw damaged('decode');
    }
    if (found.width !== cols || found.height !== rows || found.components !== samples) throw damaged('size');
  }
  if (samples === 1) return { samples: found.samples };
  return { words: rgbWords(found.samples, codec === 'raw' ? bits : found.bits, !!green, photometric) };
}

/** Cells as they lie in the file: byte order and planes by the head. */
function raw({ rows, cols, samples, cell, planar }, bytes) {
  const wide = cell.endsWith('2');
  const count = rows * cols * samples;
  if (bytes.length < count * (wide ? 2 : 1)) throw damaged('size');
  let cells = bytes;
  if (wide) {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    cells = new Uint16Array(count);
    for (let i = 0; i < count; i++) cells[i] = view.getUint16(2 * i, !cell.startsWith('>'));
  }
  if (planar && samples > 1) {
    const planes = cells;
    const n = rows * cols;
    cells = new planes.constructor(count);
    for (let i = 0; i < n; i++) for (let s = 0; s < samples; s++) cells[i * samples + s] = planes[s * n + i];
  }
  return { samples: cells.slice(0, count) };
}

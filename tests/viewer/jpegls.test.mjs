// The decoder against streams made with CharLS, then against damaged ones. Vectors: vectors.json (CRC-32 of the samples, or `throws`).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32 } from '../../static/viewer/crc32.js';
import { decodeJpegLs } from '../../static/viewer/jpegls.js';

const folder = new URL('vectors/', import.meta.url);
const vectors = JSON.parse(readFileSync(new URL('vectors.json', folder), 'utf8'));
const stream = (vector) => new Uint8Array(readFileSync(new URL(vector.file, folder)));

test('CRC-32 is the one of zlib', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xCBF43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('every stream of another maker decodes to its samples, or is refused', () => {
  assert.ok(vectors.length >= 85);
  for (const vector of vectors) {
    if (vector.throws) { assert.throws(() => decodeJpegLs(stream(vector)), /^Error: JPEG-LS/, vector.file); continue; }
    const frame = decodeJpegLs(stream(vector));
    assert.deepEqual([frame.width, frame.height, frame.components, frame.near], [vector.width, vector.height, vector.components, vector.near], vector.file);
    assert.equal(crc32(new Uint8Array(frame.samples.buffer)), vector.crc32, vector.file);
  }
});

test('4000 damaged streams end in an answer or in a JPEG-LS error, never in another', () => {
  const good = vectors.filter((vector) => !vector.throws).map(stream);
  let seed = 1, refused = 0;
  const random = (n) => (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) % n;
  for (let i = 0; i < 4000; i++) {
    const bytes = good[random(good.length)].slice();
    for (let j = random(6); j >= 0; j--) bytes[random(bytes.length)] = random(256);
    try { decodeJpegLs(bytes, 1 << 20); } catch (error) { refused++; assert.match(error.message, /^JPEG-LS/, error.stack); }
  }
  assert.ok(refused > 100);
});

test('a picture larger than the caller allows is refused before memory is taken', () => {
  const vector = vectors.find((one) => !one.throws && one.width * one.height > 1000);
  assert.throws(() => decodeJpegLs(stream(vector), 100), /too large/);
});

// CRC-32 as zlib computes it (polynomial 0xEDB88320): the manifest's proof that a frame arrived whole.

const table = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** @param {Uint8Array} bytes @returns {number} unsigned 32 bit */
export function crc32(bytes) {
  let c = ~0;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ table[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}

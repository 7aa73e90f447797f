// CRC-32 as zlib counts it (polynomial 0xEDB88320): what the manifest says of every frame's stored bytes.

const TABLE = new Uint32Array(256).map((_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? n >>> 1 ^ 0xEDB88320 : n >>> 1;
  return n;
});

/** @param {Uint8Array} bytes @returns {number} 0..2^32-1 */
export function crc32(bytes) {
  let crc = ~0;
  for (let i = 0; i < bytes.length; i++) crc = crc >>> 8 ^ TABLE[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}

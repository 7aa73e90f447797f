// A WebP or JPEG through the browser's decoder, read back as codes (R of each pixel) or as RGBA words.

let work = null;
let context = null;

/** @returns {Promise<{rows: number, cols: number, words: Uint32Array}>} the words are a copy */
export async function decodePicture(bytes, type) {
  const picture = await bitmapOf(new Blob([bytes], { type }));
  const cols = picture.width;
  const rows = picture.height;
  if (!work) {
    work = document.createElement('canvas');
    context = work.getContext('2d', { willReadFrequently: true });
  }
  if (work.width !== cols || work.height !== rows) {
    work.width = cols;
    work.height = rows;
  }
  context.drawImage(picture, 0, 0);
  if (picture.close) picture.close();
  return { rows, cols, words: new Uint32Array(context.getImageData(0, 0, cols, rows).data.buffer) };
}

async function bitmapOf(blob) {
  try {
    return await createImageBitmap(blob, { colorSpaceConversion: 'none' });
  } catch {
    const url = URL.createObjectURL(blob); // older engines know no options, or no blobs here
    const image = new Image();
    image.src = url;
    await image.decode();
    URL.revokeObjectURL(url);
    return image;
  }
}

/** Red of each word: the preview code, or the grey of a grey JPEG. */
export function codesOf(words) {
  const codes = new Uint8Array(words.length);
  for (let i = 0; i < words.length; i++) codes[i] = words[i]; // a typed array keeps the low byte
  return codes;
}

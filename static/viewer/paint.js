// The one way a picture reaches the screen: cells through a table, or words as they are, into one 2D canvas. No WebGL (PIXELS.md 10).

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { willReadFrequently: true });
    this.image = null;
  }

  paint({ rows, cols, cells, table, words }) {
    if (!this.image || this.image.width !== cols || this.image.height !== rows) {
      this.canvas.width = cols;
      this.canvas.height = rows;
      this.image = this.context.createImageData(cols, rows);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    if (words) this.pixels.set(words);
    else for (let i = 0, { pixels } = this; i < pixels.length; i++) pixels[i] = table[cells[i]];
    this.context.putImageData(this.image, 0, 0);
  }
}

// How the picture lies in the stage: fitted, zoomed, moved. The canvas is placed by CSS; its pixels stay what they are.

import { clamp, fitted, scaleBar } from './geometry.js';

export class View {
  constructor(stage, layers) {
    this.stage = stage;
    this.layers = layers; // the key picture and the canvas: always in the same place
    this.reset();
  }

  reset() {
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
  }

  get moved() {
    return this.zoom !== 1 || this.x !== 0 || this.y !== 0;
  }

  /** Zoom about a point of the stage (CSS pixels from its middle). */
  zoomAt(factor, px = 0, py = 0) {
    const zoom = clamp(this.zoom * factor, 1, 12);
    const real = zoom / this.zoom;
    this.x = px - (px - this.x) * real;
    this.y = py - (py - this.y) * real;
    this.zoom = zoom;
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
  }

  /** Place the picture of this head; at least a part of it stays in sight. */
  apply(head) {
    const { clientWidth: w, clientHeight: h } = this.stage;
    const fit = fitted(head, w, h);
    const limitX = (fit.width * this.zoom) / 2 + w / 2 - 40;
    const limitY = (fit.height * this.zoom) / 2 + h / 2 - 40;
    this.x = this.zoom === 1 ? 0 : clamp(this.x, -limitX, limitX);
    this.y = this.zoom === 1 ? 0 : clamp(this.y, -limitY, limitY);
    const width = fit.width * this.zoom;
    const height = fit.height * this.zoom;
    for (const { style } of this.layers) {
      style.width = `${width}px`;
      style.height = `${height}px`;
      style.transform = `translate(${(w - width) / 2 + this.x}px, ${(h - height) / 2 + this.y}px)`;
    }
    this.pxPerColumn = fit.scale * this.zoom;
    return scaleBar(head.spacing, this.pxPerColumn, w);
  }
}

// A map that forgets the least recently used when its values weigh too much (PIXELS.md 8).

export class Cache {
  /** @param {number} limit bytes  @param {(value) => number} weigh bytes of a value */
  constructor(limit, weigh) {
    this.limit = limit;
    this.weigh = weigh;
    this.map = new Map();
    this.bytes = 0;
  }
  get(key) {
    const value = this.map.get(key);
    if (value !== undefined) {
      this.map.delete(key);
      this.map.set(key, value);
    }
    return value;
  }
  set(key, value) {
    this.delete(key);
    this.map.set(key, value);
    this.bytes += this.weigh(value);
    for (const oldest of this.map.keys()) {
      if (this.bytes <= this.limit || oldest === key) break;
      this.delete(oldest);
    }
  }
  has(key) {
    return this.map.has(key);
  }
  delete(key) {
    const value = this.map.get(key);
    if (value === undefined) return;
    this.map.delete(key);
    this.bytes -= this.weigh(value);
  }
  clear() {
    this.map.clear();
    this.bytes = 0;
  }
}

// Transfer order of a preview stack (PIXELS.md 4): the key frame, every 16th, 8th, 4th, 2nd, the rest; each index once.

/** @returns {number[]} frame indexes in the order in which they lie in the object */
export function transferOrder(count, key) {
  const order = [key];
  const seen = new Set(order);
  for (const step of [16, 8, 4, 2, 1]) {
    for (let i = 0; i < count; i += step) {
      if (!seen.has(i)) {
        seen.add(i);
        order.push(i);
      }
    }
  }
  return order;
}

/** How many frames of the order bring the key frame and every 16th. */
export const every16 = (count, key) => Math.ceil(count / 16) + (key % 16 ? 1 : 0);

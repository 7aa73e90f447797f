// Where things lie on the screen: fitting, the scale bar. Pure arithmetic.

/** Size in CSS pixels of a picture of rows x cols, pixel aspect (height : width of a pixel), fitted into a box. */
export function fitted({ rows, cols, aspect = 1 }, width, height) {
  const tall = rows * aspect;
  const scale = Math.min(width / cols, height / tall);
  return { width: cols * scale, height: tall * scale, scale };
}

/** The longest of the usual lengths that is no longer than a third of the box: {mm, px}; null without spacing. */
export function scaleBar(spacing, pxPerColumn, boxWidth) {
  if (!spacing) return null;
  const pxPerMm = pxPerColumn / spacing[1];
  const mm = [200, 100, 50, 20, 10, 5, 2, 1].find((length) => length * pxPerMm <= boxWidth / 3);
  return mm ? { mm, px: mm * pxPerMm } : null;
}

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// State in the URL fragment: #v/<stack>/<slice from 1>/<centre>,<width>. A link to what one sees, without a reload.

export function readFragment(hash) {
  const [v, stack, slice, window] = hash.replace(/^#/, '').split('/');
  if (v !== 'v') return null;
  const [centre, width] = (window || '').split(',').map(Number);
  return {
    stack: stack || null,
    index: Number.isInteger(+slice) && +slice > 0 ? +slice - 1 : null,
    window: Number.isFinite(centre) && width > 0 ? [centre, width] : null,
  };
}

export const writeFragment = (stack, index, [centre, width]) => `#v/${stack}/${index + 1}/${centre},${width}`;

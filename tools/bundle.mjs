// node tools/bundle.mjs FOLDER: the viewer on the wire, one module and one worker (PIXELS.md 1, DESIGN.md 6).
// The same sources and the same esbuild (package-lock.json) give the same bytes: tests/viewer/test_dist.py compares them.
import { build } from 'esbuild';

const out = process.argv[2];
if (!out) throw new Error('Say where to write: node tools/bundle.mjs static/dist');
const shared = {
  bundle: true, minify: true, legalComments: 'none', charset: 'utf8', logLevel: 'warning',
  supported: { destructuring: true }, // Safari 14.0's fault is only in for-await heads, which we do not use; esbuild cannot lower it
  target: ['safari14', 'chrome79'], // iOS 14 has WebP; WeChat's XWeb is Chromium, oldest seen 79 and newer
};
await build({ ...shared, entryPoints: { viewer: 'static/viewer/main.js' }, format: 'esm', outdir: out });
await build({ ...shared, entryPoints: { 'exact-worker': 'static/viewer/exact-worker.js' }, format: 'iife', outdir: out });
await build({ ...shared, entryPoints: { inline: 'static/viewer/inline.js' }, format: 'iife', outdir: out });

// stdin: JSON list of {head, how, window, inverted}; stdout: a line each, hex of the grey of every entry of the exact table.
import { readFileSync } from 'node:fs';
import { exactTable, previewTable } from '../../static/viewer/window.js';
import { prepared } from '../../static/viewer/stack.js';

for (const { head, how, window, inverted } of JSON.parse(readFileSync(0, 'utf8'))) {
  const table = how ? exactTable(prepared(head), how, window, inverted) : previewTable(head.table, window, inverted);
  console.log(Buffer.from(Uint8Array.from(table, (word) => word & 255)).toString('hex'));
}

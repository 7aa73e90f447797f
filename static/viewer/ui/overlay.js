// Words and marks over and under the picture: slice, badge, window, scale bar, letters.

const byId = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export class Overlay {
  constructor(words) {
    this.words = words;
    this.rail = byId('rail');
    this.lastSpoken = '';
  }

  /** @param {{index: number, count: number, tier: string, shown: number, percent: number|null, lost: boolean, damaged: boolean}} state */
  slice({ index, count, tier, shown, percent, lost, damaged }) {
    byId('slice-now').textContent = index + 1;
    byId('slice-all').textContent = count;
    this.rail.max = count;
    this.rail.value = index + 1;
    this.rail.setAttribute('aria-valuetext', fill(this.words.slice, { n: index + 1, m: count }));
    const badge = byId('badge');
    const state = damaged ? 'bad' : lost ? 'off' : tier === 'exact' ? 'ok' : 'pre';
    badge.className = `exact ${state === 'ok' ? '' : state === 'pre' ? 'pre' : 'off'}`;
    const other = tier !== 'exact' && shown >= 0 && shown !== index ? fill(this.words.nearest, { n: shown + 1 }) : '';
    const text =
      state === 'bad' ? this.words.bad
      : state === 'off' ? this.words.offline
      : state === 'ok' ? this.words.exact
      : other || (percent === null ? this.words.preview : fill(this.words.loading, { n: percent }));
    if (byId('badge-text').textContent !== text) byId('badge-text').textContent = text;
  }

  window([centre, width], shown) {
    byId('window').textContent = shown ? fill(this.words.window, { c: centre, w: width }) : '';
  }

  scale(bar) {
    const svg = byId('scale');
    svg.parentElement.hidden = !bar;
    if (!bar) return;
    svg.setAttribute('width', bar.px + 4);
    const path = `M2 2V9H${bar.px + 2}V2`;
    for (const line of svg.children) line.setAttribute('d', path);
    byId('scale-text').textContent = bar.mm >= 10 ? `${bar.mm / 10} cm` : `${bar.mm} mm`;
  }

  letters(letters) {
    ['left', 'right', 'top', 'bottom'].forEach((side, i) => {
      const letter = letters[i] || '';
      const mark = byId(`letter-${side}`);
      mark.firstChild.textContent = letter;
      mark.lastChild.textContent = [...letter].map((l) => this.words.sides[l] || '').join('');
    });
  }

  title(stack) {
    byId('stack-title').textContent = stack.title + (stack.thickness && !/mm/.test(stack.title) ? ` · ${stack.thickness} mm` : '');
    byId('lossy').hidden = !stack.lossy;
  }
}

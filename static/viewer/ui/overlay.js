// Words and marks over and under the picture: slice, badge, window, scale bar, letters.

const byId = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Only a change is written: the words are spoken by screen readers. */
function say(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

export class Overlay {
  constructor(words) {
    this.words = words;
    this.rail = byId('rail');
  }

  /** @param {{index: number, count: number, tier: string, shown: number, percent: number|null, lost: boolean, damaged: boolean}} state */
  slice({ index, count, tier, shown, percent, lost, damaged }) {
    byId('slice-now').textContent = index + 1;
    byId('slice-all').textContent = count;
    this.rail.max = count;
    this.rail.value = index + 1;
    this.rail.setAttribute('aria-valuetext', fill(this.words.slice, { n: index + 1, m: count }));
    this.rail.closest('.rail').hidden = count < 2;
    const state = damaged ? 'bad' : lost ? 'off' : tier === 'exact' ? 'ok' : 'pre';
    byId('badge').className = `exact ${{ bad: 'off', off: 'off', ok: '', pre: 'pre' }[state]}`;
    const { words } = this;
    say('badge-text', { bad: words.broken, off: words.lost, ok: words.exact, pre: percent === null ? words.preview : fill(words.loading, { n: percent }) }[state]);
    const other = shown >= 0 && shown !== index ? fill(words.nearest, { n: shown + 1 }) : '';
    const tip = { bad: words.bad, off: words.offline }[state] || other;
    byId('tip').hidden = !tip;
    say('tip', tip);
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

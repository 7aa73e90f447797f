// Half sheets: presets and report. The stage shrinks, it is never covered; Esc closes and gives the focus back.

import { PRESETS } from '../window.js';

const byId = (id) => document.getElementById(id);

export class Sheets {
  constructor(words, changed) {
    this.words = words;
    this.changed = changed;
    this.open = null;
    for (const button of document.querySelectorAll('[data-sheet]')) {
      button.addEventListener('click', () => this.toggle(button.dataset.sheet));
    }
    for (const button of document.querySelectorAll('[data-close]')) button.addEventListener('click', () => this.close());
    this.#fillReport(byId('report-source'));
  }

  /** The report's words are those of the page; without a report there is no sheet. */
  #fillReport(source) {
    byId('viewer').classList.toggle('no-report', !source);
    if (!source) return;
    const body = byId('report-body');
    body.append(...[...source.children].map((child) => child.cloneNode(true)));
    for (const copy of body.querySelectorAll('[id]')) copy.removeAttribute('id');
    for (const details of body.querySelectorAll('details')) details.open = true;
    const n = body.querySelectorAll('.impress li').length;
    if (n) byId('report-count').textContent = this.words.impressions.replace('{n}', n);
  }

  toggle(name) {
    if (this.open === name) this.close();
    else this.show(name);
  }

  show(name) {
    this.close(false);
    const sheet = byId(`sheet-${name}`);
    if (!sheet) return;
    this.back = document.activeElement;
    this.open = name;
    byId('viewer').dataset.open = name;
    sheet.hidden = false;
    this.#expanded(name, true);
    sheet.querySelector('h2').focus({ preventScroll: true });
    this.changed();
  }

  close(giveBack = true) {
    if (!this.open) return false;
    const name = this.open;
    this.open = null;
    delete byId('viewer').dataset.open;
    if (name !== 'report' || !matchMedia('(min-width:900px)').matches) byId(`sheet-${name}`).hidden = true;
    this.#expanded(name, false);
    if (giveBack && this.back) this.back.focus({ preventScroll: true });
    this.changed();
    return true;
  }

  #expanded(name, open) {
    for (const button of document.querySelectorAll(`[data-sheet=${name}]`)) button.setAttribute('aria-expanded', open);
  }

  /** Fill the presets of a stack: the file's own windows first, then the usual ones of its modality. */
  presets(head, current, choose) {
    const own = head.windows.map(([c, w, kind, name], i) => [name || (i ? `${this.words.own} ${i + 1}` : this.words.own), c, w, kind]);
    const usual = (PRESETS[head.modality] || [])
      .filter(([, c, w]) => !own.some((one) => one[1] === c && one[2] === w))
      .map(([word, c, w]) => [this.words.presets[word], c, w, 'LINEAR']);
    const list = byId('presets');
    list.replaceChildren(
      ...[...own, ...usual].map(([name, c, w, kind]) => {
        const button = document.createElement('button');
        button.className = 'ps';
        button.type = 'button';
        button.setAttribute('role', 'radio');
        button.setAttribute('aria-checked', current[0] === c && current[1] === w);
        const text = document.createElement('span');
        const small = document.createElement('span');
        small.textContent = `${w} / ${c}`;
        text.append(name, small);
        button.append(text);
        button.addEventListener('click', () => choose([c, w, kind]));
        return button;
      }),
    );
  }
}

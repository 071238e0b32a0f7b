import type { PanelHover } from '../drawing/hover.ts';

/** The data of a figure's panels for {@link HOVER_SCRIPT}: JSON that cannot end the element it is in. */
export function embedHover(panels: readonly PanelHover[]): string {
  return `<script type="application/json">${JSON.stringify(panels).replaceAll('<', '\\u003c')}</script>`;
}

/**
 * Shows the values at the pointer; for figures over epochs, adds a slider to read them by keyboard. Without scripts, the values are in the CSV
 * files, and the rest of the page works. It runs in any recent browser and makes no requests.
 */
export const HOVER_SCRIPT = `
'use strict';
for (const figure of document.querySelectorAll('figure')) {
  const source = figure.querySelector('script[type="application/json"]');
  if (source !== null) makeReadable(figure, JSON.parse(source.textContent));
}

function makeReadable(figure, panels) {
  const drawings = [...figure.querySelectorAll('.panels > svg')];
  const bubble = element('div', { class: 'bubble', 'aria-hidden': 'true', hidden: '' });
  figure.append(bubble);
  const lines = drawings.map((svg) => {
    const { height } = svg.viewBox.baseVal;
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
    for (const [name, value] of Object.entries({ y1: 0, y2: height, class: 'cursor' })) line.setAttribute(name, value);
    return svg.appendChild(line);
  });
  const hide = () => {
    bubble.hidden = true;
    for (const line of lines) line.classList.remove('on');
  };
  const mark = (place) => {
    panels.forEach(({ axis }, index) => {
      if (axis === null || lines[index] === undefined) return;
      const x = positionOf(axis, place);
      lines[index].setAttribute('x1', x);
      lines[index].setAttribute('x2', x);
      lines[index].classList.add('on');
    });
  };

  drawings.forEach((svg, index) => {
    const panel = panels[index];
    if (panel === undefined) return;
    const show = (event) => {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      const tip = nearestTip(panel.tips, x, y);
      const place = tip === undefined && panel.axis !== null ? placeAt(panel.axis, x) : null;
      if (tip === undefined && place === null) return hide();
      bubble.replaceChildren(...(tip === undefined ? describe(panel, place) : [element('p', {}, tip[4])]));
      if (place === null) for (const line of lines) line.classList.remove('on');
      else mark(place);
      bubble.hidden = false;
      const left = event.clientX + 14 + bubble.offsetWidth > innerWidth ? event.clientX - 14 - bubble.offsetWidth : event.clientX + 14;
      bubble.style.left = Math.max(0, left) + 'px';
      bubble.style.top = Math.max(0, Math.min(event.clientY + 14, innerHeight - bubble.offsetHeight)) + 'px';
    };
    svg.addEventListener('pointermove', show);
    svg.addEventListener('pointerdown', show);
    // A finger leaves as soon as it is lifted: what it tapped stays until the next tap elsewhere.
    svg.addEventListener('pointerleave', (event) => event.pointerType === 'touch' || hide());
  });
  addEventListener('pointerdown', (event) => drawings.some((svg) => svg.contains(event.target)) || hide());
  addEventListener('scroll', hide, { passive: true });

  const over = panels.filter(({ axis }) => axis !== null);
  if (over.length > 0) figure.querySelector('.panels').after(makeSlider(figure, over, mark, hide));
}

function makeSlider(figure, panels, mark, hide) {
  const { name } = panels[0].axis;
  const all = panels.flatMap(({ series }) => series);
  const first = Math.min(...all.map(({ from }) => from));
  const last = Math.max(...all.map(({ from, values }) => from + values.length - 1));
  const title = figure.querySelector('h3').textContent;
  const range = element('input', { type: 'range', min: first, max: last, step: 1 });
  range.setAttribute('aria-label', title + ': read the values at an ' + name);
  // Logs of others may go on after the end of this run.
  const [{ from, values }] = all;
  range.value = from + values.length - 1;
  const list = element('div', { class: 'readings', 'aria-hidden': 'true' });
  const update = () => {
    const place = Number(range.value);
    const texts = panels.map((panel) => [panel.title, ...readingsOf(panel, place).map(({ label, text }) => label + ' ' + text)]);
    range.setAttribute('aria-valuetext', name + ' ' + place + '. ' + texts.map(([head, ...rest]) => (head ? head + ': ' : '') + (rest.join(', ') || 'no values')).join('. '));
    list.replaceChildren(...panels.map((panel) => {
      const part = element('div', {});
      part.append(...describe(panel, place, panel.title));
      return part;
    }));
    mark(place);
  };
  range.addEventListener('input', update);
  range.addEventListener('focus', update);
  range.addEventListener('blur', hide);
  const slider = element('div', { class: 'reader' });
  const label = element('p', {}, 'Arrow keys choose the ' + name + '.');
  label.setAttribute('aria-hidden', 'true');
  slider.append(label, range, list);
  update();
  hide();
  return slider;
}

function readingsOf(panel, place) {
  return panel.series.flatMap(({ label, color, from, values, digits, unit }) => {
    const value = values[place - from];
    return value === undefined || value === null ? [] : [{ label, color, text: value.toFixed(digits) + unit }];
  });
}

function describe(panel, place, head) {
  const rows = readingsOf(panel, place).map(({ label, color, text }) => {
    const row = element('p', {});
    const swatch = element('i', {});
    swatch.style.background = 'var(--' + color + ')';
    row.append(swatch, label + ' ', element('b', {}, text));
    return row;
  });
  const at = panel.axis.name + ' ' + place;
  return [element('p', { class: 'head' }, head ? head + ', ' + at : at), ...(rows.length > 0 ? rows : [element('p', {}, 'no values')])];
}

// Small marks are hard to hit, so a few px beside them count; where marks overlap, the last is on top.
function nearestTip(tips, x, y) {
  let found;
  let least = 6;
  for (const tip of tips) {
    const [x1, y1, x2, y2] = tip;
    const distance = Math.hypot(Math.max(x1 - x, 0, x - x2), Math.max(y1 - y, 0, y - y2));
    if (distance <= least) [found, least] = [tip, distance];
  }
  return found;
}

function placeAt({ domain, range }, x) {
  if (x < range[0] - 8 || x > range[1] + 8) return null;
  const share = Math.min(1, Math.max(0, (x - range[0]) / (range[1] - range[0])));
  return Math.round(domain[0] + share * (domain[1] - domain[0]));
}

function positionOf({ domain, range }, place) {
  return range[0] + ((place - domain[0]) / (domain[1] - domain[0])) * (range[1] - range[0]);
}

function element(name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
`;

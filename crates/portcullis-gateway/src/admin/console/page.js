// The content of the console, refreshed each second. Received values are set as text, never as markup.
'use strict';

const SECONDS = 120;
const samples = [];
let before = null;

const at = (id) => document.getElementById(id);

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function span(seconds) {
  if (seconds === null || seconds === undefined) return 'never';
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const parts = [];
  let rest = Math.round(seconds);
  for (const [size, name] of units) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

function showReadiness(state) {
  const shown = at('readiness');
  const [text, kind] = state === null ? ['The gateway does not answer', 'bad']
    : state.status.draining ? ['Draining', 'warn']
    : state.ready ? ['Ready', 'good'] : ['Not ready: an issuer has no keys', 'bad'];
  if (shown.textContent !== text) shown.textContent = text;
  shown.className = kind;
}

function rows(list, pairs) {
  for (const [name, value, kind] of pairs) {
    if (value === undefined || value === null || value === '') continue;
    list.append(element('dt', name), element('dd', value, kind));
  }
}

function showIssuers(issuers) {
  at('issuers').replaceChildren(...issuers.map((issuer) => {
    const shown = element('div');
    const list = element('dl');
    const keys = issuer.keys;
    const kids = keys.kids.map((kid) => kid ?? 'one without kid').join(', ');
    rows(list, [
      ['State', issuer.ready ? 'ready' : 'no keys', issuer.ready ? 'good' : 'bad'],
      ['Keys', kids || 'none'],
      ['Source', keys.source ?? 'local'],
      ['Fetched', keys.age_seconds === null ? '' : `${span(keys.age_seconds)} ago`],
      ['Tenants', keys.tenants ?? ''],
      ['Next refresh', keys.next_refresh_seconds === null ? '' : `in ${span(keys.next_refresh_seconds)}`],
      ['Last error', keys.last_error, 'bad'],
      ...keys.skipped.map((key) => ['Not used', `${key.kid ?? 'a key'}: ${key.problem}`, 'warn']),
    ]);
    if (issuer.introspection) {
      const asked = issuer.introspection;
      rows(list, [
        ['Introspection', asked.endpoint],
        ['', asked.failures > 0 ? `${asked.failures} failures${asked.retry_after_seconds === null ? '' : `, asked again in ${span(asked.retry_after_seconds)}`}` : '', 'warn'],
        ['Last error', asked.last_error, 'bad'],
        ['Shared store', issuer.store_up === null ? '' : issuer.store_up ? 'up' : 'down', issuer.store_up ? 'good' : 'warn'],
      ]);
    }
    if (issuer.exchange) {
      const asked = issuer.exchange;
      rows(list, [
        ['Token exchange', asked.endpoint],
        ['', asked.failures > 0 ? `${asked.failures} failures${asked.retry_after_seconds === null ? '' : `, asked again in ${span(asked.retry_after_seconds)}`}` : '', 'warn'],
        ['Last error', asked.last_error, 'bad'],
      ]);
    }
    shown.append(element('h3', issuer.issuer), list);
    return shown;
  }));
}

// Each code keeps the look of its line, in order of appearance; `pass` has the first.
const LOOKS = 7;
const codes = ['pass'];

function look(code) {
  if (!codes.includes(code)) codes.push(code);
  const index = codes.indexOf(code);
  return `look${index === 0 ? 0 : 1 + ((index - 1) % (LOOKS - 1))}`;
}

function svg(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function showCounts(counts) {
  const sorted = Object.entries(counts).sort(([a], [b]) => (b === 'pass') - (a === 'pass') || counts[b] - counts[a]);
  at('counts').replaceChildren(...sorted.map(([code, count]) => {
    const item = element('li');
    const swatch = svg('svg', { viewBox: '0 0 24 8', class: 'swatch', 'aria-hidden': 'true' });
    swatch.append(svg('line', { x1: 0, x2: 24, y1: 4, y2: 4, class: look(code) }));
    item.append(swatch, element('b', count.toLocaleString('en')), ` ${code}`);
    return item;
  }));
}

function sample(counts) {
  const now = performance.now();
  if (before) {
    const seconds = (now - before.now) / 1000;
    // Less than before: the gateway was restarted.
    const rate = ([code, count]) => [code, Math.max(0, count - (before.counts[code] ?? 0)) / seconds];
    samples.push(Object.fromEntries(Object.entries(counts).map(rate)));
    if (samples.length > SECONDS) samples.shift();
  }
  before = { now, counts };
}

function line(code, most) {
  const first = SECONDS - samples.length;
  const point = (one, index) => `${((first + index) / (SECONDS - 1)) * 600},${136 - ((one[code] ?? 0) / most) * 128}`;
  return svg('polyline', { points: samples.map(point).join(' '), class: look(code), 'data-code': code });
}

function showPlot() {
  const most = Math.max(1, ...samples.flatMap((one) => Object.values(one)));
  at('plot').replaceChildren(...codes.map((code) => line(code, most)));
  const last = Object.values(samples.at(-1) ?? {}).reduce((sum, rate) => sum + rate, 0);
  at('rate').textContent = Math.round(last).toLocaleString('en');
}

function showRefusals(refusals) {
  at('refusals').replaceChildren(...refusals.map((refusal) => {
    const row = element('tr');
    const time = element('td', new Date(refusal.at * 1000).toLocaleTimeString('en-GB'), 'fix');
    const code = element('td', undefined, 'fix');
    code.append(element('code', refusal.code));
    if (refusal.passed) code.append(' (only reported)');
    const why = element('td', refusal.reason);
    const token = element('td');
    if (refusal.token) token.append(element('code', refusal.token));
    const said = [refusal.issuer, refusal.kid && `key ${refusal.kid}`].filter(Boolean).join(', ');
    if (said) token.append(element('div', said, 'quiet'));
    row.append(time, code, element('td', refusal.route ?? '–', 'fix'), why, token);
    return row;
  }));
}

async function refresh() {
  if (document.hidden) return;
  let state = null;
  try {
    const response = await fetch('/console/state');
    if (response.ok) state = await response.json();
  } catch {
    // Shown as not answering.
  }
  showReadiness(state);
  if (!state) return;
  showIssuers(state.status.issuers);
  showCounts(state.recent.counts);
  sample(state.recent.counts);
  showPlot();
  showRefusals(state.recent.refusals);
}

const MARKS = { passed: ['✓', 'good'], failed: ['✗', 'bad'], not_reached: ['·', 'quiet'], not_asked: ['–', 'quiet'], not_checked: ['–', 'quiet'] };

function showExplanation(answer) {
  const shown = [];
  const route = answer.route ? ` (route ${answer.route})` : '';
  if (answer.fault) {
    shown.push(element('p', `Refused before any token is looked at: ${answer.fault.code}`, 'verdict bad'), element('p', answer.fault.reason, 'hint'));
  } else if (answer.public) {
    shown.push(element('p', `Passes: the route asks for no token${route}`, 'verdict good'));
  } else {
    const { explanation } = answer;
    const failed = explanation.checks.find((check) => check.outcome === 'failed');
    shown.push(failed ? element('p', `Refused: ${failed.code}${route}`, 'verdict bad') : element('p', `Passes${route}`, 'verdict good'));
    if (failed?.hint) shown.push(element('p', failed.hint, 'hint'));
    if (answer.report_only) shown.push(element('p', 'This route only reports: the request passes all the same.', 'hint warn'));
    const table = element('table');
    const head = element('tr');
    for (const title of ['', 'Check', 'Expected', 'Came', 'Where it is written']) {
      const cell = element('th', title);
      cell.scope = 'col';
      head.append(cell);
    }
    table.append(element('thead'), element('tbody'));
    table.tHead.append(head);
    for (const check of explanation.checks) {
      const [mark, kind] = MARKS[check.outcome] ?? ['?', 'quiet'];
      const row = element('tr');
      const sign = element('td', mark, kind);
      sign.setAttribute('aria-label', check.outcome.replace('_', ' '));
      const came = element('td', check.actual?.text ?? '');
      if (check.actual && !check.actual.vouched) came.append(element('div', 'unverified', 'quiet'));
      row.append(sign, element('td', check.title, 'fix'), element('td', check.expected ?? ''), came, element('td', check.reference, 'quiet'));
      table.tBodies[0].append(row);
    }
    const scroll = element('div', undefined, 'scroll');
    scroll.tabIndex = 0;
    scroll.append(table);
    shown.push(scroll);
  }
  at('explanation').replaceChildren(...shown);
}

at('explain').addEventListener('submit', async (event) => {
  event.preventDefault();
  const question = { token: at('token').value, proof: at('proof').value, method: at('method').value, path: at('path').value };
  try {
    const response = await fetch('/console/explain', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    if (!response.ok) throw new Error(await response.text());
    showExplanation(await response.json());
  } catch (error) {
    at('explanation').replaceChildren(element('p', `It could not be asked: ${error.message}`, 'verdict bad'));
  }
});

refresh();
setInterval(refresh, 1000);

// The playground's page: gets tokens, sends them, and shows the results.
//
// The contents of a token are shown as text (textContent), never as markup.

import { Client } from './client.mjs';

const byId = (id) => document.getElementById(id);

/** The last request by the form, which a thief may have recorded. */
let last = null;

/** The page's key for DPoP, made when it is first needed. */
let client = null;

function dpopClient() {
  client ??= Client.create();
  return client;
}

// --- Texts ---------------------------------------------------------------

/** The greatest length of a text that is not shortened. */
const LONGEST = 3000;

/** Makes characters visible that hide or change the direction of the text around them. */
function visible(text) {
  return text.replace(/[^\P{C}\n]/gu, (hidden) => `\\u{${hidden.codePointAt(0).toString(16)}}`);
}

function shortened(text, head, tail) {
  if (text.length <= head + tail + 1) {
    return visible(text);
  }
  return `${visible(text.slice(0, head))}…${visible(text.slice(-tail))}`;
}

function counted(number, what) {
  return `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

function span(seconds) {
  if (seconds < 60) {
    return `${seconds} s`;
  }
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** JSON with indentation, unless that would lose something, such as duplicate members. */
function pretty(text) {
  if (text.length > LONGEST) {
    return `${shortened(text, 400, 40)} (${counted(text.length, 'character')})`;
  }
  try {
    const value = JSON.parse(text);
    return visible(JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text);
  } catch {
    return visible(text);
  }
}

/** The text of a base64url segment; null if it is not one. */
function decoded(segment) {
  if (!/^[\w-]+$/.test(segment)) {
    return null;
  }
  try {
    const binary = atob(segment.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** The URL of a reference such as `RFC 7519 section 4.1.4`. */
function address(reference) {
  const found = /^RFC (\d+)(?: section ([\d.]+))?$/.exec(reference);
  return found && `https://www.rfc-editor.org/rfc/rfc${found[1]}${found[2] ? `#section-${found[2]}` : ''}`;
}

// --- Elements ------------------------------------------------------------

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) {
    made.className = className;
  }
  made.append(...children);
  return made;
}

/** Text with `code` in it. */
function prose(text) {
  const parts = visible(text).split('`');
  return parts.map((part, place) => (place % 2 === 1 ? element('code', '', part) : part));
}

function link(reference) {
  const href = address(reference);
  const text = reference.replace(' section ', ' §\u202f');
  if (!href) {
    return element('span', 'reference', text);
  }
  const made = element('a', 'reference', text);
  Object.assign(made, { href, target: '_blank', rel: 'noopener noreferrer' });
  return made;
}

// --- Requests to the demo ------------------------------------------------

async function ask(path, body) {
  const order = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, body === undefined ? { cache: 'no-store' } : order);
  if (!response.ok) {
    const text = await response.text();
    throw new Error(pretty(text) || `the demo answers ${response.status}`);
  }
  return response.json();
}

/** Runs a function and shows its error, if any, in a place on the page. */
async function telling(place, work) {
  try {
    await work();
  } catch (error) {
    const text = error instanceof TypeError ? `The request cannot be sent: ${error.message}` : error.message;
    byId(place).replaceChildren(element('p', 'problem', visible(text)));
  }
}

// --- The form ------------------------------------------------------------

function chosen(name) {
  return document.querySelector(`input[name="${name}"]:checked`).value;
}

/** Shows the problem of a field, or removes it. */
function judge(id, problem) {
  byId(`${id}-problem`).textContent = problem;
  byId(id).setAttribute('aria-invalid', String(problem !== ''));
  return problem === '';
}

function claims() {
  const text = byId('claims').value.trim() || '{}';
  try {
    const value = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return judge('claims', '') && value;
    }
    judge('claims', 'Expected a JSON object, got other JSON: write { … }.');
  } catch (error) {
    judge('claims', `Expected a JSON object, got no JSON: ${error.message}`);
  }
  return null;
}

function lifetime() {
  const field = byId('lifetime');
  const good = field.checkValidity();
  judge('lifetime', good ? '' : 'Expected a lifetime of 1 to 86,400 seconds.');
  return good ? field.valueAsNumber : null;
}

/** The token to send; undefined if the form has a problem. */
async function token() {
  switch (chosen('source')) {
    case 'none':
      return null;
    case 'pasted':
      return byId('token').value.trim();
    default: {
      const order = {
        claims: claims(),
        lifetime: lifetime(),
        scope: byId('scope').value.trim(),
        algorithm: byId('algorithm').value,
        tampering: byId('tampering').value || null,
        jkt: chosen('scheme') === 'DPoP' ? (await dpopClient()).thumbprint : null,
      };
      const wrong = ['claims', 'lifetime'].find((name) => order[name] === null);
      if (wrong) {
        byId(wrong).focus();
        return undefined;
      }
      return (await ask('/playground/token', order)).token;
    }
  }
}

// --- Sending, and the result ---------------------------------------------

/** The request that the form describes, with this token; null for none. */
async function request(token) {
  const line = { endpoint: chosen('endpoint'), method: byId('method').value };
  if (token === null) {
    return { ...line, token, authorization: null, proof: null };
  }
  const scheme = chosen('scheme');
  const proof = scheme === 'DPoP' ? await proofFor(line, token) : null;
  return { ...line, token, authorization: `${scheme} ${token}`, proof };
}

/** The pasted proof, or a new one. */
async function proofFor({ endpoint, method }, token) {
  const pasted = chosen('source') === 'pasted' ? byId('proof').value.trim() : '';
  return pasted || (await dpopClient()).proof(method, location.origin + endpoint, token);
}

/** Sends the request that the form describes. */
async function sendNew(token) {
  const made = await request(token);
  await send(made);
  last = made;
  byId('again').disabled = false;
  byId('thief').hidden = made.proof === null;
}

async function send({ endpoint, method, token: credentials, authorization, proof }) {
  const question = { endpoint, method, authorization, proof };
  const explain = () => ask('/playground/explain', question);
  // A proof is good once, so it is explained before it is used; any other request after its response, so that both are judged by
  // the same keys.
  const early = proof === null ? null : await explain();
  const headers = {};
  if (authorization !== null) {
    headers.Authorization = authorization;
  }
  if (proof !== null) {
    headers.DPoP = proof;
  }
  const response = await fetch(endpoint, { method, headers, cache: 'no-store' });
  const body = await response.text();
  const explanation = early ?? (await explain());
  byId('details').hidden = false;
  showRequest(question);
  showResponse(response, body);
  showToken(credentials, explanation);
  showProof(proof, explanation);
  showChecks(explanation);
  showVerdict(response, explanation);
}

function showRequest({ endpoint, method, authorization, proof }) {
  const lines = [`${method} ${endpoint} HTTP/1.1`, `Host: ${location.host}`];
  if (authorization !== null) {
    const [scheme, credentials] = authorization.split(/ (.*)/s);
    lines.push(`Authorization: ${scheme} ${brief(credentials)}`);
  }
  if (proof !== null) {
    lines.push(`DPoP: ${brief(proof)}`);
  }
  byId('request').textContent = lines.join('\n');
}

/** The ends of a long text, and its length. */
function brief(text) {
  const length = text.length > 60 ? ` (${counted(text.length, 'character')})` : '';
  return `${shortened(text, 28, 16)}${length}`;
}

function showResponse(response, body) {
  const fields = [...response.headers].map(([name, value]) => `${name}: ${visible(value)}`);
  const head = [`HTTP/1.1 ${response.status} ${response.statusText}`, ...fields].join('\n');
  byId('response').textContent = body === '' ? head : `${head}\n\n${pretty(body)}`;
}

function showVerdict(response, explanation) {
  const passed = explanation.verdict === 'passed';
  const kind = passed ? 'passed' : explanation.verdict === 'refused' ? 'failed' : 'unjudged';
  const word = { passed: 'Passed', failed: 'Refused', unjudged: 'Not judged' }[kind];
  const headline = element('p', 'headline', element('strong', `badge ${kind}`, `${response.status} ${response.statusText}`), ' ');
  headline.append(element('span', '', passed ? 'Passed: every check' : `${word}: `));
  if (explanation.code) {
    headline.append(element('code', '', explanation.code));
  }
  const parts = [headline];
  const first = explanation.checks.find((check) => check.outcome === 'failed');
  if (first) {
    const name = element('strong', '', `First failed check: ${first.title}.`);
    parts.push(element('p', 'first', name, ' ', ...sentence(explanation.reason), ' ', link(first.reference)));
    if (first.hint) {
      parts.push(element('p', 'hint', element('strong', '', 'Likely cause: '), ...prose(first.hint)));
    }
  }
  byId('verdict').replaceChildren(...parts);
  byId('verdict-card').scrollIntoView({ block: 'nearest' });
}

/** A reason from a log, as a sentence. */
function sentence(reason) {
  const text = reason ?? '';
  return text === '' ? [] : prose(`${text[0].toUpperCase()}${text.slice(1)}.`);
}

function showToken(credentials, explanation) {
  if (credentials === null || credentials === '') {
    byId('decoded').replaceChildren(element('p', 'quiet', 'The request had no token.'));
    return;
  }
  const says = explanation.vouched ? 'A valid signature vouches for its contents.' : 'No valid signature vouches for its contents.';
  byId('decoded').replaceChildren(...jwt(credentials, says, explanation.vouched, 'token'));
}

function showProof(proof, { checks }) {
  if (proof === null) {
    byId('decoded-proof').replaceChildren();
    return;
  }
  const isSigned = checks.some(({ check, outcome }) => check === 'proof_signature' && outcome === 'passed');
  const says = isSigned ? 'It is signed by the key in its own header.' : 'No valid signature of the key in its header was found.';
  byId('decoded-proof').replaceChildren(element('h2', '', 'DPoP proof'), ...jwt(proof, says, isSigned, 'proof'));
}

/** The parts of a token or proof. */
function jwt(text, says, vouched, what) {
  const parts = text.split('.');
  const [header, payload, signature] = parts;
  const shown = [element('p', vouched ? 'vouched' : 'unvouched', says), part('Header', header), part('Claims', payload)];
  if (signature !== undefined) {
    const ends = signature === '' ? 'empty' : `${shortened(signature, 28, 12)} (${counted(signature.length, 'character')})`;
    shown.push(block('Signature', ends, 'signature'));
  }
  if (parts.length !== 3) {
    shown.push(element('p', 'quiet', `The ${what} has ${counted(parts.length, 'part')}, not 3.`));
  }
  return shown;
}

function part(title, segment) {
  if (segment === undefined) {
    return block(title, 'missing', 'quiet');
  }
  const text = decoded(segment);
  return text === null
    ? block(title, `cannot be read: ${shortened(segment, 40, 12) || 'empty'}`, 'quiet')
    : block(title, pretty(text), title.toLowerCase());
}

function block(title, text, className) {
  const pre = element('pre', className, text);
  pre.tabIndex = 0;
  pre.setAttribute('aria-label', title);
  return element('div', 'part', element('h3', '', title), pre);
}

/** The mark and the word for each outcome. */
const OUTCOMES = {
  passed: ['✓', 'passed'],
  failed: ['✗', 'failed'],
  warned: ['!', 'warning'],
  not_reached: ['–', 'not reached'],
  not_asked: ['–', 'not asked for'],
  not_checked: ['–', 'not checked'],
};

function showChecks(explanation) {
  let first = true;
  const rows = explanation.checks.map((check) => {
    const row = checkRow(check);
    if (check.outcome === 'failed' && first) {
      row.classList.add('first-failure');
      // The verdict shows it already.
      row.querySelector('.hint')?.remove();
      first = false;
    }
    return row;
  });
  byId('checks').replaceChildren(...rows);
  byId('tally').textContent = tally(explanation.checks);
}

/** The numbers of outcomes, such as `19 passed, 1 failed, 2 not asked for`. */
function tally(checks) {
  const counts = Object.entries(OUTCOMES).map(([outcome, [, word]]) => {
    const number = checks.filter((check) => check.outcome === outcome).length;
    return number > 0 && `${number} ${word}`;
  });
  return counts.filter(Boolean).join(', ');
}

function checkRow(check) {
  const [mark, word] = OUTCOMES[check.outcome] ?? ['', check.outcome];
  const sign = element('span', 'mark', mark);
  sign.setAttribute('aria-hidden', 'true');
  const facts = element('dl', 'facts');
  if (check.expected) {
    facts.append(element('div', '', element('dt', '', 'expected'), ' ', element('dd', '', visible(check.expected))));
  }
  if (check.actual) {
    const believed = check.actual.vouched ? '' : element('small', '', ' (the token says)');
    facts.append(element('div', '', element('dt', '', 'got'), ' ', element('dd', '', visible(check.actual.text), believed)));
  }
  const title = element('div', '', element('strong', '', check.title), ' ', element('span', 'word', word));
  const row = element('li', check.outcome, sign, title, link(check.reference));
  if (facts.childElementCount > 0) {
    row.append(facts);
  }
  if (check.hint) {
    row.append(element('p', 'hint', ...prose(check.hint)));
  }
  return row;
}

// --- Metadata of a protected resource --------------------------------------

async function inspect() {
  const texts = (...ids) => ids.map((id) => byId(id).value.trim());
  const [url, challenge, metadata, server] = texts('resource-url', 'challenge', 'resource-metadata', 'server-metadata');
  const report = await ask('/playground/resource', {
    url,
    www_authenticate: challenge || null,
    metadata,
    servers: server ? [server] : [],
  });
  const verdict = report.verdict === 'passed' ? 'passed' : 'failed';
  const counts = [counted(report.errors.length, 'error'), counted(report.warnings.length, 'warning')].join(', ');
  const words = verdict === 'passed' ? 'No client is kept out.' : 'Some clients cannot get a token.';
  byId('findings-said').replaceChildren(element('p', 'headline', element('strong', `badge ${verdict}`, counts), ' ', words));
  // Documents say nothing about the answers of servers.
  const checks = report.checks.filter((check) => check.outcome !== 'not_asked');
  byId('findings').replaceChildren(...[...Map.groupBy(checks, (check) => check.about)].flatMap(findingsOf));
}

/** The heading of a subject, and its checks. */
function findingsOf([about, checks]) {
  const rows = checks.map((check) => {
    const row = checkRow({ ...check, actual: check.actual && { text: check.actual, vouched: true } });
    if (check.code) {
      row.querySelector('.word').after(' ', element('code', '', check.code));
    }
    return row;
  });
  return [element('h3', '', visible(about)), element('ol', 'checks', ...rows)];
}

// --- The authorization server --------------------------------------------

function showStatus(status) {
  const { known } = status;
  const pill = byId('running');
  pill.textContent = status.running ? 'running' : 'stopped';
  pill.classList.toggle('stopped', !status.running);
  byId('toggle').textContent = status.running ? 'Stop the server' : 'Start the server';
  chips('published', status.published, (kid) => [
    kid === status.signing && `signs ${status.algorithm}`,
    !known.keys.includes(kid) && 'not known yet',
  ]);
  chips('known', known.keys, (kid) => [!status.published.includes(kid) && 'withdrawn']);
  const fetches = counted(status.fetches, 'fetch').replace('fetchs', 'fetches');
  byId('age').textContent = known.age === null ? 'not yet: with the first token' : `${span(known.age)} ago, ${fetches} in all`;
  byId('next').textContent = next(known);
  byId('last-error').textContent = known.last_error ? `Last fetch: ${visible(known.last_error)}` : '';
}

function next({ age, next_refresh: seconds }) {
  if (seconds === null || age === null) {
    return 'none yet';
  }
  return seconds === 0 ? 'due' : `in ${span(seconds)}`;
}

function chips(id, kids, notes) {
  const made = kids.map((kid) => {
    const chip = element('li', '', element('code', '', visible(kid ?? 'no kid')));
    for (const note of notes(kid).filter(Boolean)) {
      chip.append(' ', element('small', note.startsWith('signs') ? '' : 'news', note));
    }
    return chip;
  });
  byId(id).replaceChildren(...(made.length ? made : [element('li', 'quiet', 'none')]));
}

async function poll() {
  showStatus(await ask('/playground/status'));
}

/** Runs an action with a verdict at its end, then renews the status; `watch` tells if that fails. */
async function judging(act) {
  await telling('verdict', act);
  await poll().catch(() => {});
}

/** Keeps the status fresh while the page is visible. */
async function watch() {
  let pause = 1000;
  try {
    if (!document.hidden) {
      await poll();
    }
  } catch {
    const pill = byId('running');
    pill.textContent = 'the demo does not answer';
    pill.classList.add('stopped');
    pause = 5000;
  }
  setTimeout(watch, pause);
}

/** Binds a button to an action at the server and a text to show after it. */
function action(id, path, said) {
  byId(id).addEventListener('click', () =>
    telling('said', async () => {
      const status = await ask(typeof path === 'function' ? path() : path, {});
      showStatus(status);
      byId('said').textContent = said(status);
    }),
  );
}

// --- The page ------------------------------------------------------------

function showSource() {
  byId('made').hidden = chosen('source') !== 'made';
  byId('pasted').hidden = chosen('source') !== 'pasted';
  byId('proof-field').hidden = chosen('source') !== 'pasted' || chosen('scheme') !== 'DPoP';
}

for (const radio of document.querySelectorAll('input[name="source"], input[name="scheme"]')) {
  radio.addEventListener('change', showSource);
}

byId('order').addEventListener('submit', (event) => {
  event.preventDefault();
  judging(async () => {
    const credentials = await token();
    if (credentials !== undefined) {
      await sendNew(credentials);
    }
  });
});

byId('inspection').addEventListener('submit', (event) => {
  event.preventDefault();
  byId('findings').replaceChildren();
  telling('findings-said', inspect);
});

/** Binds a button to a request that depends on the last one. */
function following(id, act) {
  byId(id).addEventListener('click', () => judging(act));
}

following('again', () => sendNew(last.token));
following('replay', () => send(last));
following('other-method', () => send({ ...last, method: last.method === 'GET' ? 'POST' : 'GET' }));
following('as-bearer', () => send({ ...last, authorization: `Bearer ${last.token}`, proof: null }));

action('rotate', '/playground/rotate', ({ signing }) =>
  `The server signs with ${signing} now, and still publishes the old key. The resource server fetches the keys when a token `
  + 'has the new key’s id, or when its refresh is due.');
action('withdraw', '/playground/withdraw', ({ signing }) =>
  `The server signs with ${signing} now, and no longer publishes the old key. The old key’s tokens are refused from the next `
  + 'fetch on.');
action('refresh', '/playground/refresh', ({ known }) =>
  known.last_error ? 'The keys could not be fetched: the cached keys stay in use.' : 'The keys were fetched.');
const toggle = () => (byId('toggle').textContent.startsWith('Stop') ? '/playground/stop' : '/playground/start');
action('toggle', toggle, ({ running }) =>
  running
    ? 'The server answers again.'
    : 'The server is stopped. Tokens signed with known keys still pass; the page makes tokens as if they had been issued before.');

showSource();
watch();

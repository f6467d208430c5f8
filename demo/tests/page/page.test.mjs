// The playground in a real browser: every control, every tampering, both colour schemes, a narrow screen, keyboard only.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Demo, launch, Playground, SCREENSHOTS } from './support.mjs';

/** The code of the refusal of each tampering, and the first failed check. */
const EXPECTED = {
  expired: ['expired', 'exp'],
  not_yet_valid: ['not_yet_valid', 'nbf'],
  issued_in_future: ['issued_in_future', 'iat'],
  missing_expiry: ['missing_claim', 'exp'],
  expiry_as_string: ['malformed_claim', 'exp'],
  expiry_infinite: ['malformed_json', 'payload is JSON'],
  negative_expiry: ['expired', 'exp'],
  wrong_audience: ['wrong_audience', 'aud'],
  missing_audience: ['missing_claim', 'aud'],
  wrong_issuer: ['wrong_issuer', 'issuer is known'],
  issuer_prefix: ['wrong_issuer', 'issuer is known'],
  missing_issuer: ['missing_claim', 'issuer is known'],
  flipped_signature_bit: ['bad_signature', 'signature'],
  flipped_payload_bit: ['bad_signature', 'signature'],
  truncated_signature: ['bad_signature', 'signature'],
  empty_signature: ['bad_signature', 'signature'],
  zero_signature: ['bad_signature', 'signature'],
  der_signature: ['bad_signature', 'signature'],
  wrong_curve: ['bad_signature', 'signature'],
  alg_none: ['algorithm_not_allowed', 'algorithm exists'],
  alg_none_mixed_case: ['algorithm_not_allowed', 'algorithm exists'],
  algorithm_confusion: ['algorithm_not_allowed', 'algorithm is allowed'],
  algorithm_confusion_der: ['algorithm_not_allowed', 'algorithm is allowed'],
  header_alg_missing: ['malformed_header', 'header members'],
  unknown_algorithm: ['algorithm_not_allowed', 'algorithm exists'],
  unknown_key: ['unknown_key', 'key is known'],
  forged_key: ['bad_signature', 'signature'],
  embedded_jwk: ['bad_signature', 'signature'],
  jwk_set_url: ['bad_signature', 'signature'],
  x509_url: ['bad_signature', 'signature'],
  x509_chain: ['bad_signature', 'signature'],
  kid_traversal: ['unknown_key', 'key is known'],
  kid_not_a_string: ['malformed_header', 'header members'],
  huge_kid: ['malformed_header', 'header members'],
  id_token: ['wrong_audience', 'aud'],
  dpop_proof: ['wrong_type', 'token type'],
  dpop_bound: ['sender_constrained_token', 'possession', '401 Unauthorized'],
  certificate_bound: ['sender_constrained_token', 'possession', '401 Unauthorized'],
  unknown_confirmation: ['unsupported_confirmation', 'cnf', '401 Unauthorized'],
  doubly_bound: ['sender_constrained_token', 'possession', '401 Unauthorized'],
  null_confirmation: ['malformed_claim', 'cnf'],
  empty_confirmation: ['malformed_claim', 'cnf'],
  confirmation_list: ['malformed_claim', 'cnf'],
  null_thumbprint: ['malformed_claim', 'cnf'],
  short_thumbprint: ['malformed_claim', 'cnf'],
  logout_token: ['wrong_type', 'token type'],
  jwe: ['encrypted_token', 'three parts'],
  two_parts: ['malformed_token_parts', 'three parts'],
  four_parts: ['malformed_token_parts', 'three parts'],
  padded_base64: ['malformed_token', 'characters'],
  whitespace_in_token: ['malformed_token', 'characters'],
  standard_alphabet: ['malformed_base64', 'payload is base64url'],
  trailing_bits: ['malformed_base64', 'signature is base64url'],
  header_not_json: ['malformed_json', 'header is JSON'],
  payload_not_json: ['malformed_json', 'payload is JSON'],
  not_an_object: ['malformed_json', 'payload is JSON'],
  invalid_utf8: ['malformed_json', 'payload is JSON'],
  deep_json: ['token_too_large', 'size'],
  duplicate_header_member: ['duplicate_member', 'header is JSON'],
  duplicate_claim: ['duplicate_member', 'payload is JSON'],
  duplicate_nested_claim: ['duplicate_member', 'payload is JSON'],
  critical_header: ['critical_header', 'no extensions'],
  unencoded_payload: ['critical_header', 'no extensions'],
  unencoded_payload_without_crit: ['malformed_header', 'no extensions'],
};

/** The picture in the README: it is replaced if this variable is set. */
const PICTURE = process.env.PORTCULLIS_PICTURE && fileURLToPath(new URL('../../../docs/images/playground.png', import.meta.url));

let browser;
let demo;
let playground;
/** The controls used so far. */
const used = new Set();

async function open(options) {
  playground = await Playground.open(browser, demo, options);
  playground.used = used;
  return playground;
}

describe('the playground', () => {
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    browser = await launch();
  });

  after(() => browser?.close());

  // One demo for each test, because fetches for unknown keys are limited.
  beforeEach(async () => {
    demo = await Demo.start();
  });

  afterEach(async () => {
    const problems = playground?.problems ?? [];
    await playground?.close();
    playground = undefined;
    await demo?.stop();
    assert.deepEqual(problems, []);
  });

  test('a good token passes at every endpoint, by every algorithm', async () => {
    const page = await open();
    for (const endpoint of ['/secured/token', '/secured/scope', '/secured/claim']) {
      await page.choose('endpoint', endpoint);
      const said = await page.send();
      assert.equal(said.badge, '200 OK', said.verdict);
      assert.ok(said.request.startsWith(`GET ${endpoint} HTTP/1.1`), said.request);
      assert.match(said.response, /"myClaim": "someRequiredValue"/);
      assert.match(said.token, /A valid signature vouches/);
    }
    const algorithms = await page.page.$$eval('#algorithm option', (options) => options.map((option) => option.value));
    assert.deepEqual(algorithms, ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']);
    for (const algorithm of algorithms) {
      await page.select('#algorithm', algorithm);
      const said = await page.send();
      assert.equal(said.badge, '200 OK', said.verdict);
      assert.ok(said.token.includes(`"alg": "${algorithm}"`), said.token);
    }
    await page.fill('#lifetime', '7200');
    assert.match((await page.send()).verdict, /Passed/);
    assert.match(await page.text('#checks'), /in 1 h|in 2 h|in 119 min/);
    await page.screenshot('passed', { fullPage: true });
  });

  test('each tampering is refused for its own reason', async () => {
    const page = await open();
    // The keys are fetched before the first token with an unknown key.
    assert.equal((await page.send()).badge, '200 OK');
    const offered = await page.page.$$eval('#tampering option', (options) => options.map((option) => option.value));
    assert.deepEqual(offered.filter(Boolean).sort(), Object.keys(EXPECTED).sort());
    for (const [tampering, [code, check, status = '403 Forbidden']] of Object.entries(EXPECTED)) {
      await page.select('#tampering', tampering);
      const said = await page.send();
      const about = `${tampering}: ${said.verdict}`;
      assert.deepEqual([said.badge, said.code, said.failed], [status, code, check], about);
      assert.ok(said.first.startsWith(`First failed check: ${check}.`), about);
      assert.match(said.hint ?? '', /^Likely cause: \S/, about);
      assert.match(said.response, /^www-authenticate: Bearer realm="portcullis-demo", error="invalid_token"/m, about);
      assert.ok(said.checks > 3, about);
    }
    await page.screenshot('tampered');
  });

  test('scopes and claims are asked for, and a token too', async () => {
    const page = await open();
    await page.choose('endpoint', '/secured/scope');
    await page.fill('#scope', 'write');
    let said = await page.send();
    assert.deepEqual([said.badge, said.code, said.failed], ['403 Forbidden', 'insufficient_scope', 'scope']);
    assert.match(said.response, /error="insufficient_scope"/);
    await page.fill('#scope', '');
    said = await page.send();
    assert.equal(said.code, 'insufficient_scope');
    assert.doesNotMatch(said.token, /"scope"/);

    await page.choose('endpoint', '/secured/claim');
    await page.fill('#claims', '{"myClaim": "another", "sub": "bob"}');
    said = await page.send();
    assert.deepEqual([said.badge, said.failed], ['403 Forbidden', 'claim'], said.verdict);
    assert.match(said.token, /"sub": "bob"/);

    await page.choose('source', 'none');
    said = await page.send();
    assert.deepEqual([said.badge, said.failed], ['401 Unauthorized', 'credentials'], said.verdict);
    assert.doesNotMatch(said.request, /Authorization/);
    await page.choose('source', 'made');
  });

  test('a token of another origin can be pasted, whatever it is', async () => {
    const page = await open();
    await page.choose('source', 'pasted');
    for (const [pasted, badge, code] of [
      ['2YotnFZFEjr1zCsicMWpAA', '403 Forbidden', 'malformed_token_parts'],
      ['', '403 Forbidden', 'empty_token'],
      ['<script>alert(1)</script>', '403 Forbidden', 'malformed_token'],
    ]) {
      await page.fill('#token', pasted);
      const said = await page.send();
      assert.equal(said.code, code, said.verdict);
      assert.match(said.badge, /^40[013] /, badge);
    }
    await page.fill('#token', 'Ω');
    await page.click('#order button[type="submit"]');
    await page.until(() => document.querySelector('#verdict').innerText.includes('cannot be sent'));
    assert.equal(await page.page.$eval('#made', (made) => made.hidden), true);
  });

  test('a request with a DPoP proof passes once, and is of no use to a thief', async () => {
    const page = await open();
    const thief = (id) => page.sending(() => page.click(id));
    assert.equal(await page.page.$eval('#thief', (shown) => shown.hidden), true);
    await page.choose('scheme', 'DPoP');
    for (const [endpoint, method, other] of [['/secured/token', 'GET', 'POST'], ['/secured/scope', 'POST', 'GET']]) {
      await page.choose('endpoint', endpoint);
      await page.select('#method', method);
      let said = await page.send();
      assert.equal(said.badge, '200 OK', said.verdict);
      assert.match(said.verdict, /Passed/);
      assert.match(said.request, new RegExp(`^${method} ${endpoint} HTTP/1.1\\n.*\\nAuthorization: DPoP eyJ.*\\nDPoP: eyJ`));
      assert.match(said.token, /"jkt": "/);
      const proof = await page.text('#decoded-proof');
      assert.match(proof, /signed by the key in its own header/);
      assert.ok(proof.includes(`"htm": "${method}"`) && proof.includes(`"htu": "${demo.url}${endpoint}"`), proof);
      await page.screenshot('proof', { fullPage: true });

      // The same request again, as often as somebody likes.
      for (let round = 0; round < 2; round += 1) {
        said = await thief('#replay');
        assert.deepEqual([said.badge, said.code, said.failed], ['401 Unauthorized', 'dpop_replayed', 'jti'], said.verdict);
        assert.match(said.hint, /a new proof for each request/);
        assert.match(said.response, /DPoP .*error="invalid_dpop_proof"/);
      }
      await page.screenshot('replayed');
      said = await thief('#other-method');
      assert.deepEqual([said.badge, said.code, said.failed], ['401 Unauthorized', 'dpop_method', 'htm'], said.verdict);
      assert.ok(said.request.startsWith(`${other} ${endpoint}`), said.request);
      said = await thief('#as-bearer');
      assert.deepEqual([said.badge, said.code, said.failed], ['401 Unauthorized', 'sender_constrained_token', 'possession'], said.verdict);
      assert.match(said.request, /Authorization: Bearer (?!.*DPoP:)/s);
      assert.equal(await page.text('#decoded-proof'), '');

      // The client itself goes on, with a new proof for the same token.
      said = await page.sending(() => page.click('#again'));
      assert.equal(said.badge, '200 OK', said.verdict);
    }
    // A bearer token still passes, and leaves nothing to replay.
    await page.choose('scheme', 'Bearer');
    assert.equal((await page.send()).badge, '200 OK');
    assert.equal(await page.page.$eval('#thief', (shown) => shown.hidden), true);
  });

  test('a pasted proof is judged, and another client’s token is of no use', async () => {
    const page = await open();
    const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
    const order = { scope: 'read', claims: {}, lifetime: 60, algorithm: 'RS256', tampering: null, jkt };
    const headers = { 'Content-Type': 'application/json' };
    const minted = await fetch(`${demo.url}/playground/token`, { method: 'POST', headers, body: JSON.stringify(order) });
    await page.choose('source', 'pasted');
    assert.equal(await page.page.$eval('#proof-field', (field) => field.hidden), true);
    await page.choose('scheme', 'DPoP');
    await page.fill('#token', (await minted.json()).token);
    let said = await page.send();
    assert.deepEqual([said.badge, said.code], ['401 Unauthorized', 'dpop_wrong_key'], said.verdict);
    await page.fill('#proof', 'e30.e30.<img src=x>');
    said = await page.send();
    assert.equal(said.code, 'malformed_dpop_proof', said.verdict);
    assert.equal(await page.page.$$eval('#decoded-proof img', (found) => found.length), 0);
  });

  test('what a token says is text, never markup, and hides nothing', async () => {
    const page = await open();
    const hostile = '<script>document.title = "owned"</script><img src=x onerror=alert(1)>';
    const claims = { name: hostile, [hostile]: 1, odd: 'a\u0000b\u202ec\u200bd', scope: hostile };
    await page.fill('#claims', JSON.stringify(claims));
    for (const endpoint of ['/secured/token', '/secured/scope', '/secured/claim']) {
      await page.choose('endpoint', endpoint);
      const said = await page.send();
      assert.ok(said.token.includes('<script>'), said.token);
      assert.ok(said.token.includes('\\u{202e}') && said.token.includes('\\u{200b}'), said.token);
      assert.doesNotMatch(await page.text('body'), /[\u0000\u202e\u200b]/);
      const elements = await page.page.$$eval('main script, main img', (found) => found.length);
      assert.equal(elements, 0);
    }
    assert.equal(await page.page.title(), 'Portcullis playground');
  });

  test('the policy is in force: nothing inline, nothing from elsewhere', async () => {
    const page = await open();
    await page.page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "owned"';
      document.body.append(script);
      document.body.setAttribute('onclick', 'document.title = "owned"');
      document.body.click();
      await fetch('http://127.0.0.1:9/').catch(() => {});
    });
    const breaches = () => page.problems.filter((problem) => problem.startsWith('policy: '));
    while (breaches().length < 3) {
      await page.page.evaluate(() => new Promise(requestAnimationFrame));
    }
    assert.deepEqual(breaches(), [
      'policy: script-src-elem inline',
      'policy: script-src-attr inline',
      'policy: connect-src http://127.0.0.1:9/',
    ]);
    assert.equal(await page.page.title(), 'Portcullis playground');
    page.problems.length = 0;
  });

  test('a form that cannot be sent says why, beside the field', async () => {
    const page = await open();
    for (const [text, problem] of [['{"a":', /no JSON/], ['[1]', /other JSON/], ['null', /other JSON/]]) {
      await page.fill('#claims', text);
      await page.click('#order button[type="submit"]');
      await page.until(() => document.querySelector('#claims-problem').textContent !== '');
      assert.match(await page.text('#claims-problem'), problem);
      assert.equal(await page.page.evaluate(() => document.activeElement.id), 'claims');
    }
    await page.fill('#claims', '');
    for (const lifetime of ['0', '86401', '', '1.5']) {
      await page.fill('#lifetime', lifetime);
      await page.click('#order button[type="submit"]');
      await page.until(() => document.querySelector('#lifetime').getAttribute('aria-invalid') === 'true');
      assert.match(await page.text('#lifetime-problem'), /1 to 86,400/);
    }
    await page.fill('#lifetime', '60');
    assert.equal((await page.send()).badge, '200 OK');
    assert.equal(await page.page.$eval('#lifetime', (field) => field.getAttribute('aria-invalid')), 'false');
  });

  test('keys rotate, are fetched, and are withdrawn', async () => {
    const page = await open();
    const again = () => page.sending(() => page.click('#again'));
    assert.equal((await page.send()).badge, '200 OK');
    const old = /"kid": "(\w+-rs256-\d+)"/.exec(await page.text('#decoded'))[1];

    // A new key: unknown until the first token with its id, and then fetched at once.
    await page.click('#rotate');
    await page.until(() => document.querySelector('#published').innerText.includes('not known yet'));
    assert.match(await page.text('#said'), /signs with \w+-rs256-\d+ now/);
    await page.screenshot('rotated');
    assert.equal((await again()).badge, '200 OK', 'the old key is still published');
    assert.equal((await page.send()).badge, '200 OK', 'the new key is fetched when it is needed');
    await page.until(() => !document.querySelector('#published').innerText.includes('not known yet'));
    assert.ok(!(await page.text('#decoded')).includes(`"${old}"`));

    // Withdrawn: its tokens pass until the next fetch.
    await page.click('#withdraw');
    await page.until(() => document.querySelector('#known').innerText.includes('withdrawn'));
    assert.equal((await again()).badge, '200 OK', 'the resource server has not fetched the keys yet');
    await page.click('#refresh');
    await page.until(() => document.querySelector('#said').innerText.includes('were fetched'));
    await page.until(() => !document.querySelector('#known').innerText.includes('withdrawn'));
    const said = await again();
    assert.deepEqual([said.badge, said.code, said.failed], ['403 Forbidden', 'unknown_key', 'key is known'], said.verdict);
    assert.match(said.hint, /rotated its keys, and withdrew this one/);
    assert.match(await page.text('#age'), /ago/);
    assert.match(await page.text('#next'), /^(in \d+ s|due)$/);
  });

  test('the authorization server stops, what is known goes on, and what is not is not judged', async () => {
    const page = await open();
    assert.equal((await page.send()).badge, '200 OK');
    await page.click('#toggle');
    await page.until(() => document.querySelector('#running').innerText === 'stopped');
    assert.equal(await page.text('#toggle'), 'Start the server');
    assert.equal((await page.send()).badge, '200 OK', 'with cached keys');
    await page.click('#refresh');
    await page.until(() => document.querySelector('#last-error').innerText !== '');
    assert.match(await page.text('#said'), /could not be fetched/);
    await page.click('#rotate');
    await page.until(() => document.querySelector('#said').innerText.includes('signs with'));
    const said = await page.send();
    assert.match(said.badge, /^503 /, said.verdict);
    assert.match(said.verdict, /Not judged:/);
    assert.match(said.response, /retry-after: \d+/);
    await page.screenshot('stopped');

    await page.click('#toggle');
    await page.until(() => document.querySelector('#running').innerText === 'running');
    await page.click('#refresh');
    await page.until(() => document.querySelector('#last-error').innerText === '');
    assert.equal((await page.send()).badge, '200 OK');
  });

  test('pasted metadata are inspected', async () => {
    const page = await open();
    const inspect = async () => {
      await page.page.$eval('#findings-said', (said) => said.replaceChildren());
      await page.click('#inspect');
      await page.until(() => document.querySelector('#findings-said').childElementCount > 0);
      const codes = await page.page.$$eval('#findings li > div > code', (found) => found.map((code) => code.innerText));
      return { said: (await page.text('#findings-said')).replace(/\s+/g, ' '), codes };
    };
    // The page begins with an example that has mistakes.
    const example = await inspect();
    assert.match(example.said, /2 errors, 2 warnings Some clients cannot get a token/);
    assert.deepEqual(example.codes, ['slash_identifier', 'no_pkce', 'no_registration', 'scope_not_offered']);
    assert.match(await page.text('#findings'), /https:\/\/as\.example\.com/);
    assert.deepEqual(await page.page.evaluate(faint), []);
    await page.screenshot('metadata', { fullPage: true });

    const issuer = 'https://as.example.org';
    await page.fill('#resource-url', 'https://api.example.org');
    await page.fill('#challenge', 'Bearer resource_metadata="https://api.example.org/.well-known/oauth-protected-resource"');
    await page.fill('#resource-metadata', JSON.stringify({ resource: 'https://api.example.org', authorization_servers: [issuer] }));
    await page.fill('#server-metadata', JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/a`,
      token_endpoint: `${issuer}/t`,
      jwks_uri: `${issuer}/k`,
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
    }));
    assert.deepEqual(await inspect(), { said: '0 errors, 0 warnings No client is kept out.', codes: [] });
    await page.fill('#resource-metadata', '<!doctype html>');
    assert.deepEqual((await inspect()).codes, ['metadata_html']);
  });

  test('the keyboard is enough', async () => {
    const page = await open();
    const { keyboard } = page.page;
    const focused = () =>
      page.page.evaluate(() => {
        const { activeElement: on } = document;
        const { outlineStyle, outlineWidth } = getComputedStyle(on);
        return { id: on.id || on.value || on.tagName, outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
      });
    const seen = [];
    for (let step = 0; step < 40; step += 1) {
      await keyboard.press('Tab');
      const { id, outlined } = await focused();
      if (id === 'BODY' || seen.includes(id)) {
        break;
      }
      assert.ok(outlined, `${id} shows that it has the focus`);
      seen.push(id);
    }
    assert.deepEqual(seen.slice(0, 7), ['/secured/token', 'made', 'tampering', 'scope', 'claims', 'algorithm', 'lifetime']);
    assert.deepEqual(seen.slice(-9), [
      'rotate', 'withdraw', 'refresh', 'toggle',
      'resource-url', 'challenge', 'resource-metadata', 'server-metadata', 'inspect',
    ]);

    // Arrows choose among radio buttons, letters in a list, Enter sends.
    await page.page.focus('input[value="/secured/token"]');
    await keyboard.press('ArrowDown');
    await keyboard.press('Tab');
    await keyboard.press('Tab');
    await keyboard.type('wrong audience');
    await keyboard.press('Tab');
    const said = await page.sending(() => keyboard.press('Enter'));
    assert.match(said.request, /^GET \/secured\/scope /);
    assert.equal(said.code, 'wrong_audience');
    await page.page.focus('#again');
    assert.equal((await page.sending(() => keyboard.press('Space'))).code, 'wrong_audience');
    await page.page.focus('#refresh');
    await keyboard.press('Enter');
    await page.until(() => document.querySelector('#said').innerText.includes('fetched'));
  });

  test('a token can be sent again as soon as its verdict is there, however slow the status is', async () => {
    const page = await open();
    await page.page.setRequestInterception(true);
    const held = [];
    page.page.on('request', (request) => {
      if (request.url().endsWith('/playground/status')) {
        held.push(request);
      } else {
        request.continue();
      }
    });
    await page.send();
    assert.equal(await page.page.$eval('#again', (button) => button.disabled), false);
    await Promise.all(held.map((request) => request.continue()));
  });

  test('every control has a name, and what changes is announced', async () => {
    const page = await open();
    await page.choose('source', 'pasted');
    await page.send();
    const nameless = [];
    const walk = (node) => {
      if (['textbox', 'combobox', 'radio', 'button', 'spinbutton', 'link'].includes(node.role) && !node.name) {
        nameless.push(node.role);
      }
      node.children?.forEach(walk);
    };
    walk(await page.page.accessibility.snapshot({ interestingOnly: false }));
    assert.deepEqual(nameless, []);
    const live = await page.page.$$eval('[role="status"]', (found) => found.map((element) => element.id));
    assert.deepEqual(live.sort(), ['findings-said', 'said', 'verdict']);
    assert.equal(await page.page.$eval('html', (html) => html.lang), 'en');
  });

  for (const scheme of ['light', 'dark']) {
    test(`${scheme}: every text stands out, by WCAG AA`, async () => {
      const page = await open({ scheme });
      await page.select('#tampering', 'wrong_audience');
      assert.equal((await page.send()).code, 'wrong_audience');
      await page.click('#rotate');
      await page.until(() => document.querySelector('#published').innerText.includes('not known yet'));
      assert.deepEqual(await page.page.evaluate(faint), []);
      // The page from the top, as a user first sees it.
      await page.page.evaluate(() => scrollTo(0, 0));
      await page.screenshot(scheme);
    });
  }

  for (const width of [320, 390, 768, 1024]) {
    test(`nothing sticks out at a width of ${width}`, async () => {
      const page = await open({ width, height: 800 });
      await page.fill('#claims', JSON.stringify({ long: 'x'.repeat(400) }));
      for (const tampering of ['', 'huge_kid', 'deep_json']) {
        await page.select('#tampering', tampering);
        await page.send();
        const wide = await page.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${tampering}: ${wide} pixels`);
      }
      const shown = await page.page.$eval('#verdict', (verdict) => verdict.getBoundingClientRect().top < innerHeight);
      assert.ok(shown, 'the verdict is in view');
      await page.click('#inspect');
      await page.until(() => document.querySelector('#findings').childElementCount > 0);
      const wide = await page.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `metadata: ${wide} pixels`);
      await page.screenshot(`width-${width}`, { fullPage: true });
    });
  }

  test('the picture of the README', async () => {
    const page = await open({ width: 1360, height: 960 });
    await page.select('#tampering', 'expired');
    assert.equal((await page.send()).code, 'expired');
    await page.page.evaluate(() => {
      document.activeElement.blur();
      scrollTo(0, 0);
    });
    await page.screenshot('playground');
    assert.ok(statSync(`${SCREENSHOTS}/playground.png`).size < 300 * 1024);
    if (PICTURE) {
      copyFileSync(`${SCREENSHOTS}/playground.png`, PICTURE);
    }
  });

  test('every control was used once', async () => {
    const page = await open();
    const controls = await page.page.$$eval('button, input:not([type="radio"]), select, textarea', (found) =>
      found.map((control) => (control.id ? `#${control.id}` : '#order button[type="submit"]')));
    const radios = await page.page.$$eval('input[type="radio"]', (found) =>
      found.map(({ name, value }) => `input[name="${name}"][value="${value}"]`));
    assert.deepEqual([...controls, ...radios].filter((control) => !used.has(control)), []);
  });

  test('no other page can use it', async () => {
    const { url } = demo;
    const order = JSON.stringify({ scope: '', claims: {}, lifetime: 60, algorithm: 'RS256', tampering: null });
    const post = async (headers, path = '/playground/token') =>
      (await fetch(`${url}${path}`, { method: 'POST', headers, body: order })).status;
    assert.equal(await post({ 'Content-Type': 'application/json' }), 200);
    for (const path of ['token', 'explain', 'resource', 'rotate', 'withdraw', 'refresh', 'stop', 'start']) {
      assert.equal(await post({ 'Content-Type': 'text/plain' }, `/playground/${path}`), 415, path);
      const foreign = { 'Content-Type': 'application/json', Origin: 'http://evil.example' };
      assert.equal(await post(foreign, `/playground/${path}`), 403, path);
    }
    const index = await fetch(`${url}/`);
    assert.match(index.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; /);
    assert.equal(index.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(index.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(index.headers.get('access-control-allow-origin'), null);
  });
});

/** Runs in the page: the texts whose contrast with their background is below 4.5. */
function faint() {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let on = element; on; on = on.parentElement) {
      const { backgroundColor } = getComputedStyle(on);
      if ((channels(backgroundColor)[3] ?? 1) === 1) {
        return backgroundColor;
      }
    }
    return 'rgb(255, 255, 255)';
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const shown = [...document.querySelectorAll('body *')].filter((element) => hasText(element) && element.checkVisibility());
  return shown.flatMap((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return contrast < 4.5 ? [`${element.tagName} ${element.innerText.slice(0, 30)}: ${contrast.toFixed(2)}`] : [];
  });
}

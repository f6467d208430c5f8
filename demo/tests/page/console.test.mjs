// The console of the gateway in a real browser, with the demo as its authorization server.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Client } from '../../src/playground/client.mjs';
import { Demo, launch, SCREENSHOTS } from './support.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GATEWAY = process.env.PORTCULLIS_GATEWAY ?? `${ROOT}target/debug/portcullis`;

/** The gateway on free ports, with its console. */
class Gateway {
  static async start(issuer) {
    const gateway = new Gateway();
    gateway.folder = mkdtempSync(join(tmpdir(), 'portcullis-console-'));
    const config = join(gateway.folder, 'portcullis.toml');
    writeFileSync(config, `
      listen = "127.0.0.1:0"
      admin = "127.0.0.1:0"
      console = true
      problem_json = true
      [log]
      format = "json"
      [[issuers]]
      issuer = "${issuer}"
      audience = ["https://api.example.com"]
      [dpop]
      use = "allowed"
      [[routes]]
      path = "/orders/*"
      scope = ["read"]
      [[routes]]
      path = "/shadow"
      scope = ["write"]
      report_only = true
      [[routes]]
      path = "/health"
      public = true
    `);
    gateway.process = spawn(GATEWAY, ['serve', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    gateway.ended = new Promise((resolve) => {
      gateway.process.once('exit', resolve);
    });
    const addresses = {};
    for await (const line of createInterface({ input: gateway.process.stderr })) {
      const { listener, address } = JSON.parse(line);
      if (listener) addresses[listener] = address;
      if (addresses.listen && addresses.admin) break;
    }
    gateway.process.stderr.resume();
    gateway.url = `http://${addresses.listen}`;
    gateway.admin = `http://${addresses.admin}`;
    return gateway;
  }

  ask(path, token) {
    return fetch(this.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true });
  }
}

/** The console in a tab, and its problems. */
async function open(browser, gateway, { scheme = 'light', width = 1280, height = 1000 } = {}) {
  const page = await (await browser.createBrowserContext()).newPage();
  const problems = [];
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(gateway.admin) && !request.url().startsWith('data:')) problems.push(`elsewhere: ${request.url()}`);
  });
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(`${gateway.admin}/console`);
  await page.waitForFunction(() => document.querySelector('#readiness').textContent === 'Ready');
  return { page, problems };
}

const textOf = (page, selector) => page.$eval(selector, (found) => found.textContent);

describe('the console', { concurrency: false }, () => {
  let demo, gateway, browser, good, poor;

  const tokenWith = async (scope) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'demo', client_secret: 'demo', scope });
    const response = await fetch(`${demo.issuer}/token`, { method: 'POST', body });
    return (await response.json()).access_token;
  };

  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    demo = await Demo.start();
    [gateway, browser] = await Promise.all([Gateway.start(demo.issuer), launch()]);
    [good, poor] = await Promise.all([tokenWith('read'), tokenWith('other')]);
  });

  after(async () => {
    await browser?.close();
    await gateway?.stop();
    await demo?.stop();
  });

  test('issuers, decisions and the last refusals are shown, and no token', async () => {
    const { page, problems } = await open(browser, gateway);
    for (const [path, token, status] of [
      ['/orders/1', good, 200],
      ['/orders/1', good, 200],
      ['/orders/1', poor, 403],
      ['/orders/1', undefined, 401],
      ['/shadow', good, 200],
      ['/nowhere', good, 403],
      ['/orders/1', 'a.b.c', 401],
    ]) {
      assert.equal((await gateway.ask(path, token)).status, status, path);
    }
    await page.waitForFunction(() => document.querySelectorAll('#refusals tr').length === 5);
    // One line for each code, and at least one increasing line.
    await page.waitForFunction(() => document.querySelectorAll('#plot polyline').length === 5);
    await page.waitForFunction(() => document.querySelector('#plot [data-code="no_route"]').getAttribute('points').split(' ')
      .some((point) => Number(point.split(',')[1]) < 136));
    const issuers = await textOf(page, '#issuers');
    assert.ok(issuers.includes(demo.issuer) && issuers.includes('ready'), issuers);
    const counts = await textOf(page, '#counts');
    for (const told of ['2 pass', '2 insufficient_scope', '1 no_credentials', '1 no_route']) {
      assert.ok(counts.includes(told), `${told} in ${counts}`);
    }
    const refusals = await textOf(page, '#refusals');
    assert.ok(refusals.includes('(only reported)') && refusals.includes('/orders/*'), refusals);
    const everything = await page.evaluate(() => document.documentElement.outerHTML);
    for (const part of [...good.split('.'), ...poor.split('.')].slice(0, -1)) {
      assert.ok(!everything.includes(part), 'a token is shown');
    }
    for (const [seconds, asked] of [9, 4, 7, 2, 6].entries()) {
      await Promise.all(Array.from({ length: asked }, (_, one) => gateway.ask('/orders/1', one % 3 === 2 ? poor : good)));
      await page.waitForFunction(
        (drawn) => document.querySelector('#plot [data-code="pass"]').getAttribute('points').split(' ').length > drawn,
        {},
        seconds + 1,
      );
    }
    await page.screenshot({ path: `${SCREENSHOTS}/console.png`, fullPage: true });
    assert.deepEqual(problems, []);
  });

  test('a pasted token is explained, with the route and without', async () => {
    const { page, problems } = await open(browser, gateway);
    const explain = async (token, path, method = 'GET') => {
      await page.$eval('#explanation', (shown) => shown.replaceChildren());
      for (const [id, text] of [['#token', token], ['#path', path]]) {
        await page.$eval(id, (field, value) => { field.value = value; }, text);
      }
      await page.select('#method', method);
      await page.click('#explain button');
      await page.waitForSelector('#explanation .verdict');
      return textOf(page, '#explanation');
    };
    assert.match(await explain(good, ''), /^Passes/);
    assert.match(await explain(`Authorization: Bearer ${good}`, '/orders/1'), /^Passes \(route \/orders\/\*\)/);
    assert.match(await explain(poor, '/orders/1', 'POST'), /^Refused: insufficient_scope/);
    assert.match(await explain(poor, '/shadow'), /only reports/);
    assert.match(await explain('opaque', ''), /^Refused: malformed_token_parts.*opaque/s);
    assert.match(await explain(good, '/nowhere'), /^Refused before any token is looked at: no_route/);
    assert.match(await explain(good, '/health'), /^Passes: the route asks for no token/);
    assert.match(await explain(`${good.slice(0, -8)}AAAAAAAA`, ''), /^Refused: bad_signature.*unverified/s);
    // The contents of a token are text, not markup.
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const hostile = `${encode({ alg: 'RS256', kid: '<img src=x onerror=alert(1)>' })}.${encode({ iss: '<script>alert(2)</script>' })}.AAAA`;
    assert.match(await explain(hostile, ''), /<script>alert\(2\)<\/script>/);
    assert.equal(await page.$$eval('#explanation img, #explanation script', (found) => found.length), 0);
    await explain(poor, '/orders/1');
    await page.screenshot({ path: `${SCREENSHOTS}/console-explained.png`, fullPage: true });
    assert.deepEqual(problems, []);
  });

  test('a proof is explained, and stays good for its client', async () => {
    const { page, problems } = await open(browser, gateway);
    const client = await Client.create();
    const url = 'https://api.example.com/orders/1';
    const order = { scope: 'read', claims: {}, lifetime: 60, algorithm: 'RS256', tampering: null, jkt: client.thumbprint };
    const headers = { 'content-type': 'application/json' };
    const minted = await fetch(`${demo.url}/playground/token`, { method: 'POST', headers, body: JSON.stringify(order) });
    const { token } = await minted.json();
    const proof = await client.proof('GET', url, token);
    const explain = async (method, path, evidence) => {
      await page.$eval('#explanation', (shown) => shown.replaceChildren());
      for (const [id, text] of [['#token', token], ['#path', path], ['#proof', evidence]]) {
        await page.$eval(id, (field, value) => { field.value = value; }, text);
      }
      await page.select('#method', method);
      await page.click('#explain button');
      await page.waitForSelector('#explanation .verdict');
      return textOf(page, '#explanation');
    };
    const send = async () => (await fetch(`${gateway.url}/orders/1`, {
      headers: {
        authorization: `DPoP ${token}`,
        dpop: proof,
        'x-forwarded-method': 'GET',
        'x-forwarded-uri': '/orders/1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'api.example.com',
      },
    })).status;
    for (let round = 0; round < 2; round += 1) assert.match(await explain('GET', url, proof), /^Passes \(route/);
    assert.match(await explain('POST', url, proof), /^Refused: dpop_method/);
    assert.match(await explain('GET', 'https://api.example.com/orders/2', proof), /^Refused: dpop_url/);
    assert.match(await explain('GET', url, ''), /^Refused: sender_constrained_token.*DPoP proof/s);
    assert.match(await explain('GET', '', proof), /give its method and URL/);
    assert.equal(await send(), 200, 'the console used the proof up');
    assert.match(await explain('GET', url, proof), /^Refused: dpop_replayed.*a new proof for each request/s);
    await page.screenshot({ path: `${SCREENSHOTS}/console-proof.png`, fullPage: true });
    assert.deepEqual(problems, []);
  });

  test('a keyboard is enough', async () => {
    const { page, problems } = await open(browser, gateway);
    await page.keyboard.press('Tab');
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
    assert.equal(await focused(), 'token');
    await page.keyboard.type('not-a-jwt');
    const order = [];
    for (let step = 0; step < 4; step += 1) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    assert.deepEqual(order, ['proof', 'method', 'path', 'BUTTON']);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#explanation .verdict');
    assert.deepEqual(problems, []);
  });

  test('dark, and on a narrow screen without scrolling sideways', async () => {
    const { page, problems } = await open(browser, gateway, { scheme: 'dark', width: 360, height: 740 });
    const [ground, wide] = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      document.documentElement.scrollWidth > document.documentElement.clientWidth,
    ]);
    assert.equal(ground, 'rgb(22, 23, 26)');
    assert.equal(wide, false);
    await page.screenshot({ path: `${SCREENSHOTS}/console-dark-narrow.png`, fullPage: true });
    assert.deepEqual(problems, []);
  });

  test('no page of another site gets anything of it', async () => {
    const { page } = await open(browser, gateway);
    const policy = (await fetch(`${gateway.admin}/console`)).headers.get('content-security-policy');
    assert.ok(policy.startsWith("default-src 'none'; script-src 'self'"), policy);
    for (const [options, status] of [
      [{ method: 'POST', body: '{"token":"x"}' }, 415],
      [{ method: 'POST', body: 'token=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
      [{ method: 'POST', body: '[]', headers: { 'content-type': 'application/json' } }, 400],
      [{ method: 'POST', body: `{"token":"${'x'.repeat(100_000)}"}`, headers: { 'content-type': 'application/json' } }, 413],
      [{ method: 'GET' }, 405],
    ]) {
      assert.equal((await fetch(`${gateway.admin}/console/explain`, options)).status, status, JSON.stringify(options).slice(0, 80));
    }
    // The policy holds for everything that a browser would run.
    const blocked = await page.evaluate(() => new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', () => resolve(true));
      const script = document.createElement('script');
      script.textContent = 'window.owned = true';
      document.body.append(script);
      setTimeout(() => resolve(window.owned !== true), 500);
    }));
    assert.equal(blocked, true);
  });

  test('a gateway that is gone is told', async () => {
    const other = await Gateway.start(demo.issuer);
    const { page } = await open(browser, other);
    await other.stop();
    await page.waitForFunction(() => document.querySelector('#readiness').textContent === 'The gateway does not answer');
  });
});

// The demo, started and stopped by the tests, and a browser that collects problems.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder of the screenshots. */
export const SCREENSHOTS = `${ROOT}target/screenshots`;

const DEMO = process.env.PORTCULLIS_DEMO ?? `${ROOT}target/debug/portcullis-demo`;

const CHROMIUM =
  process.env.PORTCULLIS_CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** The demo on free ports. */
export class Demo {
  static async start(...more) {
    const demo = new Demo();
    const free = ['--listen', '127.0.0.1:0', '--as-listen', '127.0.0.1:0'];
    demo.process = spawn(DEMO, [...free, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
    demo.ended = new Promise((resolve) => {
      demo.process.once('exit', resolve);
    });
    const welcome = await demo.#welcome();
    demo.url = /Resource server: +(\S+)/.exec(welcome)[1];
    demo.issuer = /Authorization server: +(\S+)/.exec(welcome)[1];
    return demo;
  }

  async #welcome() {
    let text = '';
    for await (const chunk of this.process.stdout.iterator({ destroyOnReturn: false })) {
      text += chunk;
      if (text.includes('Ctrl-C')) {
        return text;
      }
    }
    throw new Error(`the demo ended: ${text}`);
  }

  /** Ends the demo by its process id. */
  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

export function launch() {
  const isRoot = process.getuid?.() === 0;
  // Containers have little shared memory.
  const args = ['--disable-dev-shm-usage', ...(isRoot ? ['--no-sandbox'] : [])];
  return puppeteer.launch({ executablePath: CHROMIUM, args });
}

/** The playground in a tab, and its problems. */
export class Playground {
  /** Console messages, exceptions, breaches of the policy, requests elsewhere. */
  problems = [];
  /** The ids of the controls that were used. */
  used = new Set();

  static async open(browser, demo, { width = 1360, height = 900, scheme = 'light' } = {}) {
    const playground = new Playground();
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    playground.page = page;
    playground.demo = demo;
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await playground.#watch();
    await page.goto(demo.url);
    await playground.until(() => document.querySelector('#running').textContent === 'running');
    return playground;
  }

  async #watch() {
    const { page, problems, demo } = this;
    const origin = new URL(demo.url).origin;
    page.on('pageerror', (error) => problems.push(`exception: ${error}`));
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== origin) {
        problems.push(`request to ${request.url()}`);
      }
    });
    page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
    page.on('response', (response) => {
      if (!response.ok() && !isRefusal(response.url())) {
        problems.push(`${response.status()} for ${response.url()}`);
      }
    });
    page.on('console', (message) => {
      // The browser logs every answer of 400 and above; from the secured endpoints they are expected.
      const refused = message.text().startsWith('Failed to load resource') && isRefusal(message.location().url);
      if (!refused) {
        problems.push(`console: ${message.type()}: ${message.text()}`);
      }
    });
    await page.exposeFunction('noteViolation', (what) => problems.push(`policy: ${what}`));
    await page.evaluateOnNewDocument(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        globalThis.noteViolation(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }

  /** Waits until the condition holds in the page. */
  until(condition, ...given) {
    return this.page.waitForFunction(condition, { polling: 50, timeout: 20_000 }, ...given);
  }

  text(selector) {
    return this.page.$eval(selector, (element) => element.innerText);
  }

  async click(selector) {
    this.used.add(selector);
    await this.page.click(selector);
  }

  async select(id, value) {
    this.used.add(id);
    await this.page.select(id, value);
  }

  async fill(id, text) {
    this.used.add(id);
    await this.page.focus(id);
    await this.page.$eval(id, (field) => field.select());
    await this.page.keyboard.press('Backspace');
    if (text !== '') {
      await this.page.keyboard.sendCharacter(text);
    }
  }

  /** Chooses a radio button. */
  async choose(name, value) {
    await this.click(`input[name="${name}"][value="${value}"]`);
  }

  /** Runs an action that sends a request, and returns the result shown on the page. */
  async sending(act) {
    await this.page.$eval('#verdict', (verdict) => verdict.replaceChildren());
    await act();
    await this.until(() => document.querySelector('#verdict').childElementCount > 0);
    return this.page.evaluate(() => {
      const text = (selector) => document.querySelector(selector)?.innerText.trim() ?? null;
      return {
        badge: text('#verdict .badge'),
        code: text('#verdict .headline code'),
        first: text('#verdict .first'),
        hint: text('#verdict .hint'),
        verdict: text('#verdict'),
        request: text('#request'),
        response: text('#response'),
        token: text('#decoded'),
        failed: text('#checks .first-failure strong'),
        checks: document.querySelectorAll('#checks > li').length,
      };
    });
  }

  send() {
    return this.sending(() => this.click('#order button[type="submit"]'));
  }

  screenshot(name, options = {}) {
    return this.page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, ...options });
  }

  close() {
    return this.page.browserContext().close();
  }
}

function isRefusal(url) {
  return new URL(url).pathname.startsWith('/secured/');
}

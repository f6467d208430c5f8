// Programs on free loopback ports; each ends with its test.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** The programs that run: none outlives this process. */
const running = new Set();
process.on('exit', () => running.forEach((program) => program.signal('SIGKILL')));
process.once('SIGTERM', () => process.exit(1));

/** Ports that are free now, and not given away by the system: below those for outgoing connections. */
export async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The server, once it listens on a free loopback port. */
export function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** A running program. Its lines are kept, for a failed test to show. */
export class Program {
  #child;
  #name;
  #said = [];
  #ended;
  #watching = () => {};

  constructor(command, args = [], { cwd, env = {}, path = [] } = {}) {
    this.#name = [command, ...args].join(' ');
    const PATH = [...path, process.env.PATH].join(':');
    // In a group of its own, so that a program with children ends with them.
    const stdio = ['pipe', 'pipe', 'pipe'];
    this.#child = spawn(command, args, { cwd, env: { ...process.env, ...env, PATH }, stdio, detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#said.push(line);
        this.#watching(line);
      });
    }
    running.add(this);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message)).once('close', (code, signal) => resolve(code ?? signal));
    }).finally(() => running.delete(this));
  }

  /** Calls `see` with each line of output, those of before included. */
  watch(see) {
    this.#said.forEach(see);
    this.#watching = see;
    return this;
  }

  /** The first line for which `is` holds. */
  async line(is) {
    const ended = this.#ended.then((how) => {
      throw new Error(`${this.#name} ended (${how}) before it was ready:\n${this.output}`);
    });
    return Promise.race([new Promise((resolve) => this.watch((line) => is(line) && resolve(line))), ended]);
  }

  /** Waits until this URL is answered, with any status. */
  async answers(url) {
    let ended;
    this.#ended.then((how) => (ended = `ended (${how})`));
    while (!ended) {
      const answered = await fetch(url).then((response) => response.body?.cancel(), () => 'no');
      if (answered !== 'no') return this;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${this.#name} ${ended} before it was ready:\n${this.output}`);
  }

  /** Its exit code, when it has ended. */
  get ended() {
    return this.#ended;
  }

  /** All that it has written so far. */
  get output() {
    return this.#said.join('\n');
  }

  /** Ends it and its children, at once if they do not end when told to. */
  async stop() {
    if (this.#child.pid === undefined) return;
    this.#child.stdin.end();
    this.signal('SIGTERM');
    const impatient = setTimeout(() => this.signal('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(impatient);
  }

  /** Sends a signal to it and its children. */
  signal(name) {
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      // They have ended.
    }
  }
}

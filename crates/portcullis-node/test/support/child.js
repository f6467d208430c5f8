'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');
const { text } = require('node:stream/consumers');

const { atEnd } = require('./cleanup.js');

const PACKAGE = join(__dirname, '..', '..');

/** Runs a script to its end, with `data` as its argument; it is killed after 250 s, or with the test `t`. */
function run(t, script, data = {}, flags = [], env = {}) {
  return start(t, [...flags, '-e', script, JSON.stringify(data)], env);
}

/** Runs a file of this folder in the same way. */
function runFile(t, file, data = {}, flags = []) {
  return start(t, [...flags, join(__dirname, file), JSON.stringify(data)]);
}

async function start(t, options, env = {}) {
  const stdio = ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, options, { cwd: PACKAGE, stdio, env: { ...process.env, ...env } });
  const limit = setTimeout(() => child.kill('SIGKILL'), 250_000);
  atEnd(t, () => child.kill('SIGKILL'));
  const ended = [text(child.stdout), text(child.stderr), once(child, 'exit')];
  const [stdout, stderr, [code, signal]] = await Promise.all(ended);
  clearTimeout(limit);
  return { stdout, stderr, code, signal };
}

module.exports = { run, runFile };

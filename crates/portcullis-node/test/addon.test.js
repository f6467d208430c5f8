'use strict';

const assert = require('node:assert/strict');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { loadAddon } = require('../lib/addon.js');
const { atEnd } = require('./support/cleanup.js');

const { napi, portcullis } = require('../package.json');

/** The package.json of a published package. */
const PUBLISHED = {
  name: 'portcullis',
  version: '1.2.3',
  napi,
  portcullis,
  optionalDependencies: { 'portcullis-linux-x64-gnu': '1.2.3', 'portcullis-linux-x64-musl': '1.2.3', 'portcullis-linux-arm64-gnu': '1.2.3' },
};

/** Sets a platform for a test; `glibc` is the version of the C library of Node, undefined for another one. */
function setPlatform(t, platform, arch, glibc) {
  const report = { excludeNetwork: false, getReport: () => ({ header: { glibcVersionRuntime: glibc } }) };
  for (const [name, value] of Object.entries({ platform, arch, report })) {
    const own = Object.getOwnPropertyDescriptor(process, name);
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
    atEnd(t, () => Object.defineProperty(process, name, own));
  }
  return report;
}

const none = () => {
  throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
};

const AGAIN =
  'to be installed, found none: run npm install again, without --omit=optional, and on this platform, or for it: node_modules that were copied from another one lack it';
const ONE_OF = 'portcullis: expected one of the platforms linux-x64-gnu, linux-x64-musl, linux-arm64-gnu, got';
const SOURCE = 'build it from source (CONTRIBUTING.md says how)';

test('the package of the platform is loaded', (t) => {
  for (const [platform, arch, glibc, name] of [
    ['linux', 'x64', '2.36', 'linux-x64-gnu'],
    ['linux', 'x64', undefined, 'linux-x64-musl'],
    ['linux', 'arm64', '2.36', 'linux-arm64-gnu'],
    ['darwin', 'arm64', undefined, 'darwin-arm64'],
    ['win32', 'x64', undefined, 'win32-x64-msvc'],
  ]) {
    const report = setPlatform(t, platform, arch, glibc);
    assert.equal(loadAddon(__dirname, PUBLISHED, (wanted) => wanted), name);
    assert.equal(report.excludeNetwork, false);
  }
});

test('a missing or unsupported binary is an error that says what to do', (t) => {
  const { optionalDependencies, ...source } = PUBLISHED;
  for (const [manifest, platform, arch, expected] of [
    [PUBLISHED, 'linux', 'x64', `portcullis: expected the package portcullis-linux-x64-musl 1.2.3, its binary for this platform, ${AGAIN}`],
    [PUBLISHED, 'linux', 's390x', `${ONE_OF} linux-s390x-musl: run it on one of those, or ${SOURCE}`],
    [PUBLISHED, 'freebsd', 'x64', `${ONE_OF} freebsd-x64: run it on one of those, or ${SOURCE}`],
    [PUBLISHED, 'darwin', 'arm64', `${ONE_OF} darwin-arm64: run it on one of those, or ${SOURCE}; it is untested there`],
    [source, 'linux', 'x64', 'portcullis: expected a built binary for linux-x64-musl, found none: run npm run build in crates/portcullis-node'],
  ]) {
    setPlatform(t, platform, arch);
    assert.throws(() => loadAddon(__dirname, manifest, none), { message: expected });
  }
  // native.js knows no package for it.
  setPlatform(t, 'sunos', 'x64');
  assert.throws(() => loadAddon(__dirname, PUBLISHED, () => undefined), { message: `${ONE_OF} sunos-x64: run it on one of those, or ${SOURCE}` });
});

test('a binary that does not load is an error with the reason', (t) => {
  setPlatform(t, 'linux', 'x64', '2.12');
  const cause = new Error("version `GLIBC_2.17' not found");
  const expected = { message: `portcullis: cannot load its binary portcullis-linux-x64-gnu: ${cause.message}`, cause };
  assert.throws(() => loadAddon(__dirname, PUBLISHED, () => { throw cause; }), expected);
  const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'portcullis.linux-x64-gnu.node');
  writeFileSync(file, 'not a binary');
  assert.throws(() => loadAddon(folder, PUBLISHED, none), ({ message }) => message.startsWith(`portcullis: cannot load its binary ${file}: `));
});

test('each target of package.json has its line in native.js, and the test kit has the same targets', () => {
  const kit = require('portcullis-testkit/package.json');
  assert.deepEqual([kit.napi.targets, kit.portcullis], [napi.targets, portcullis]);
  const text = readFileSync(path.join(__dirname, '..', 'native.js'), 'utf8');
  const named = [...text.matchAll(/case '(.+)':\n\s+return require\('portcullis-(.+)'\);/g)];
  assert.equal(named.length, napi.targets.length);
  for (const [, platform, required] of named) {
    assert.equal(platform, required);
  }
});

test('README.md has a row for each target, and says which are untested', () => {
  const text = readFileSync(path.join(__dirname, '..', 'README.md'), 'utf8');
  const section = text.slice(text.indexOf('\n## Platforms'), text.indexOf('\n## Build it'));
  const rows = [...section.matchAll(/^\| `(.+?)` \| .+ \| (.+) \|$/gm)];
  assert.equal(rows.length, napi.targets.length);
  const untested = rows.filter(([, , tried]) => tried.startsWith('untested')).map(([, platform]) => platform);
  assert.deepEqual(untested, portcullis.untested);
});

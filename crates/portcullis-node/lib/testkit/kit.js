'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');

const { name, version } = require('../../package.json');
const { loadAddon } = require('../addon.js');

/** The package with the binary of the test kit. */
const KIT = 'portcullis-testkit';

/** Loads the binary: a package of its own, so that production has no signing keys and no code of tests. */
function load() {
  const file = installed();
  const install = `npm install --save-dev ${KIT}@${version}`;
  if (file === undefined) {
    throw new Error(`${name}/testkit: expected the package ${KIT}, which has its binary, to be installed, found none: ${install}`);
  }
  const requireFromKit = createRequire(file);
  const manifest = requireFromKit(file);
  if (manifest.version !== version) {
    throw new Error(`${name}/testkit: expected ${KIT} ${version}, as ${name} is, got ${manifest.version}: ${install}`);
  }
  return loadAddon(path.dirname(file), manifest, (platform) => requireFromKit(`${KIT}-${platform}`));
}

/** The package.json of the test kit, if it is installed. */
function installed() {
  try {
    return require.resolve(`${KIT}/package.json`);
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') {
      throw error;
    }
    return undefined;
  }
}

module.exports = load();

'use strict';

const { name, version } = require('../../package.json');

/** The package with the binary of the test kit. */
const KIT = 'portcullis-testkit';

/** Loads the binary: a package of its own, so that production has no signing keys and no code of tests. */
function load() {
  const found = installed();
  const install = `npm install --save-dev ${KIT}@${version}`;
  if (found === undefined) {
    throw new Error(`${name}/testkit: expected the package ${KIT}, which has its binary, to be installed, found none: ${install}`);
  }
  const kitVersion = require(`${KIT}/package.json`).version;
  if (kitVersion !== version) {
    throw new Error(`${name}/testkit: expected ${KIT} ${version}, as ${name} is, got ${kitVersion}: ${install}`);
  }
  return found;
}

function installed() {
  try {
    require.resolve(KIT);
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') {
      throw error;
    }
    return undefined;
  }
  return require(KIT);
}

module.exports = load();

'use strict';

const { existsSync } = require('node:fs');
const path = require('node:path');

/**
 * Loads the addon of a package: the binary in its folder, as after `npm run build`, or the package of this platform.
 *
 * npm installs packages of platforms as optional dependencies: only those for the platform on which it runs.
 *
 * @param folder of the package
 * @param manifest its package.json
 * @param packageOf requires the package of a platform
 */
function loadAddon(folder, manifest, packageOf) {
  const platform = platformHere();
  const built = path.join(folder, `${manifest.napi.binaryName}.${platform}.node`);
  if (existsSync(built)) {
    return loaded(manifest, built, () => require(built));
  }
  const name = `${manifest.name}-${platform}`;
  return loaded(manifest, name, () => packageOf(platform)) ?? fail(missing(manifest, platform, name));
}

/** The addon, or undefined if it is not installed. */
function loaded({ name }, file, load) {
  try {
    return load();
  } catch (error) {
    if (error?.code === 'MODULE_NOT_FOUND') {
      return undefined;
    }
    return fail(`${name}: cannot load its binary ${file}: ${error?.message}`, error);
  }
}

/** The words for a binary that is not installed. */
function missing({ name, version, optionalDependencies, portcullis: { untested } }, platform, wanted) {
  if (optionalDependencies === undefined) {
    return `${name}: expected a built binary for ${platform}, found none: run npm run build in crates/portcullis-node`;
  }
  if (wanted in optionalDependencies) {
    const why = 'without --omit=optional, and on this platform, or for it: node_modules that were copied from another one lack it';
    return `${name}: expected the package ${wanted} ${version}, its binary for this platform, to be installed, found none: run npm install again, ${why}`;
  }
  const platforms = Object.keys(optionalDependencies).map((each) => each.slice(name.length + 1));
  const noted = untested.includes(platform) ? '; it is untested there' : '';
  const instead = `run it on one of those, or build it from source (CONTRIBUTING.md says how)${noted}`;
  return `${name}: expected one of the platforms ${platforms.join(', ')}, got ${platform}: ${instead}`;
}

/** The name of this platform, as npm's packages of addons have it. */
function platformHere() {
  const { platform, arch } = process;
  const suffix = { linux: () => (hasGlibc() ? '-gnu' : '-musl'), win32: () => '-msvc' }[platform];
  return `${platform}-${arch}${suffix?.() ?? ''}`;
}

/** Tells whether Node itself runs with glibc; the system may have musl, too. */
function hasGlibc() {
  const { report } = process;
  if (report === undefined) {
    return true; // Engines other than Node
  }
  const { excludeNetwork } = report;
  // Otherwise it may look up names of hosts.
  report.excludeNetwork = true;
  const { glibcVersionRuntime } = report.getReport().header;
  report.excludeNetwork = excludeNetwork;
  return glibcVersionRuntime !== undefined;
}

function fail(message, cause) {
  throw new Error(message, cause && { cause });
}

module.exports = { loadAddon };

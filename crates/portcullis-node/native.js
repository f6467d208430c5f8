'use strict';

const { loadAddon } = require('./lib/addon.js');

/** Requires the package of a platform. Bundlers look for names in full, and allow missing packages in `try`. */
function packageOf(platform) {
  try {
    switch (platform) {
      case 'linux-x64-gnu':
        return require('portcullis-linux-x64-gnu');
      case 'linux-x64-musl':
        return require('portcullis-linux-x64-musl');
      case 'linux-arm64-gnu':
        return require('portcullis-linux-arm64-gnu');
      case 'linux-arm64-musl':
        return require('portcullis-linux-arm64-musl');
      case 'darwin-x64':
        return require('portcullis-darwin-x64');
      case 'darwin-arm64':
        return require('portcullis-darwin-arm64');
      case 'win32-x64-msvc':
        return require('portcullis-win32-x64-msvc');
      default:
        return undefined;
    }
  } catch (error) {
    throw error;
  }
}

module.exports = loadAddon(__dirname, require('./package.json'), packageOf);

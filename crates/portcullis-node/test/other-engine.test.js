'use strict';

/**
 * The tests of frameworks, once more for the other kind of engine, on which `lib/attach.js` works differently.
 */

const v8 = Number.parseInt(process.versions.v8, 10) < 13 ? '13.6' : '11.3';
Object.defineProperty(process, 'versions', { value: { ...process.versions, v8 } });

require('./frameworks.test.js');
require('./nested.test.js');

'use strict';

/**
 * What frameworks are promised, once more for an engine of the other kind: `lib/attach.js` goes another way on it.
 */

const v8 = Number.parseInt(process.versions.v8, 10) < 13 ? '13.6' : '11.3';
Object.defineProperty(process, 'versions', { value: { ...process.versions, v8 } });

require('./frameworks.test.js');
require('./nested.test.js');

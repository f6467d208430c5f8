'use strict';

require('./checks.cjs').check((path) => require(path));

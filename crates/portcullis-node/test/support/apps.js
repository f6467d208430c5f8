'use strict';

const EXPRESS = { 4: require('express4'), 5: require('express') };

const VERSIONS = [4, 5];

/** An Express app of this major version, whose handler answers with the guard's results. */
function guardedApp(version, guard, prepare = () => {}) {
  const app = EXPRESS[version]();
  prepare(app);
  const router = EXPRESS[version].Router();
  router.use(guard);
  router.get('/', (req, res) => res.json(req.claims ?? null));
  app.use(router);
  return app;
}

module.exports = { EXPRESS, VERSIONS, guardedApp };

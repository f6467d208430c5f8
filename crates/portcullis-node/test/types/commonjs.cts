// The package's types in CommonJS.
import express = require('express');
import testkit = require('portcullis/testkit');
import http = require('node:http');
import https = require('node:https');
import portcullis = require('portcullis');
import { type Options, getSimpleJwksService, jwksService, secure } from 'portcullis';

const uri = 'https://myoauthserver.com/auth/jwks';
const keys: portcullis.JwksService = getSimpleJwksService(uri);
const { InMemoryCache } = portcullis;

// The function with properties is one and the same.
const guards: portcullis.Guard[] = [portcullis(keys), portcullis.secure(keys), portcullis.secure.secure(keys)];

// Express.
const app = express();
const router = express.Router();
const claims = [{ name: 'someClaim', value: 'withValue' }];
const options: Options = { realm: 'my-realm', scope: ['scope1', 'scope2'], claims };
app.use(secure(keys, { realm: 'my-realm' }), ...guards);
app.use('/orders', secure(keys, options), router);
router.use(secure(keys, { scope: 'scope1 scope2', anyScope: ['a', 'b'] }));
router.get('/:id', secure(keys), (req, res) => {
  const id: string = req.params.id;
  const subject: string | undefined = req.claims?.sub;
  const granted: boolean | undefined = req.auth?.hasScope('read');
  if (req.claims?.['myClaim'] === 'someValue') {
    res.json({ id, subject, granted, header: req.auth?.header?.alg, scopes: req.auth?.scopes });
  }
});
const handler: express.RequestHandler = secure(keys);

// connect and plain http.
const guard = secure(keys);
http.createServer((req, res) => guard(req, res, (error?: unknown) => res.end(String(error))));

// Services.
jwksService(new InMemoryCache(), uri);
jwksService(new InMemoryCache(), new URL(uri), https);
jwksService(new InMemoryCache(), uri, { agent: new https.Agent({ keepAlive: true }), ca: 'PEM' });
jwksService(new InMemoryCache(), uri, null, { timeout: 2, maxAge: 60, maxStale: 3600, dangerouslyAllowHttp: false });

class FileCache implements portcullis.Cache {
  kept: string | null = null;

  async getKeyStore(): Promise<string | null> {
    return this.kept;
  }

  async setKeyStore(keyStore: portcullis.KeyStore): Promise<void> {
    this.kept = JSON.stringify(keyStore);
  }
}
jwksService(new FileCache(), uri);

const age: number | null = keys.status().age;

export = { handler, age };
const started: Promise<testkit.AuthorizationServer> = testkit.AuthorizationServer.start({ clock: new testkit.TestClock() });
started.then((server) => server.stop());

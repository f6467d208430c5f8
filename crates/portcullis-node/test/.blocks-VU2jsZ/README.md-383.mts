import express from 'express';
import { type GetKey, type Options, getSimpleJwksService, secure } from 'portcullis';

const options: Options = { scope: ['read'], claims: [{ name: 'level', value: (level: number) => level >= 3 }] };
const app = express();
app.use(secure(getSimpleJwksService('https://myoauthserver.com/auth/jwks'), options));
app.get('/', (req, res) => {
  res.json({ subject: req.claims?.sub, scopes: req.auth?.scopes });
});

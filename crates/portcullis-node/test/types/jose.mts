// The results of `createRemoteJWKSet` and `createLocalJWKSet` of each version of jose are a `getKey`.
import * as jose6 from 'jose';
import * as jose4 from 'jose4';
import * as jose5 from 'jose5';
import { secure } from 'portcullis';

const url = new URL('https://myoauthserver.com/auth/jwks');

secure(jose4.createRemoteJWKSet(url));
secure(jose5.createRemoteJWKSet(url));
secure(jose6.createRemoteJWKSet(url), { scope: ['read'] });
secure(jose4.createLocalJWKSet({ keys: [] }));
secure(jose5.createLocalJWKSet({ keys: [] }));
secure(jose6.createLocalJWKSet({ keys: [] }));

// The page as a DPoP client (RFC 9449): a key that never leaves the browser, and a proof for each request.

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };

const bytes = (text) => new TextEncoder().encode(text);

function base64url(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const sha256 = async (text) => base64url(await crypto.subtle.digest('SHA-256', bytes(text)));

const part = (value) => base64url(bytes(JSON.stringify(value)));

export class Client {
  #privateKey;

  /** The public key, with its members in the order of its thumbprint (RFC 7638). */
  #jwk;

  /** The thumbprint of the key, which a token is bound to (`cnf.jkt`). */
  thumbprint;

  /** Makes a client with a new key, whose private part no script can read. */
  static async create() {
    const client = new Client();
    const { privateKey, publicKey } = await crypto.subtle.generateKey(CURVE, false, ['sign']);
    const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    client.#privateKey = privateKey;
    client.#jwk = { crv, kty, x, y };
    client.thumbprint = await sha256(JSON.stringify(client.#jwk));
    return client;
  }

  /** Signs a proof for one request with this token. */
  async proof(method, url, token) {
    const header = part({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#jwk });
    const claims = part({
      jti: crypto.randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(Date.now() / 1000),
      ath: await sha256(token),
    });
    const signed = `${header}.${claims}`;
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.#privateKey, bytes(signed));
    return `${signed}.${base64url(signature)}`;
  }
}

// The OAuth side of the clients: registration and tokens in memory, and the redirect on a loopback port (RFC 8252 section 7.3).

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** An `OAuthClientProvider` of the SDK: prints the URL that the user is to open, and waits for the redirect. */
export class Login {
  #redirects = createServer((request, response) => this.#redirected(request, response));
  #waiting = [];
  #stored = {};

  static async start() {
    const login = new Login();
    await once(login.#redirects.listen(0, '127.0.0.1'), 'listening');
    return login;
  }

  get redirectUrl() {
    return `http://127.0.0.1:${this.#redirects.address().port}/callback`;
  }

  get clientMetadata() {
    return {
      client_name: 'The TypeScript client of the example',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  redirectToAuthorization(url) {
    console.log(`Open ${url}`);
  }

  state = () => (this.#stored.state = randomUUID());
  clientInformation = () => this.#stored.client;
  saveClientInformation = (client) => void (this.#stored.client = client);
  tokens = () => this.#stored.tokens;
  saveTokens = (tokens) => void (this.#stored.tokens = tokens);
  codeVerifier = () => this.#stored.verifier;
  saveCodeVerifier = (verifier) => void (this.#stored.verifier = verifier);
  discoveryState = () => this.#stored.discovery;
  saveDiscoveryState = (discovery) => void (this.#stored.discovery = discovery);

  /** The parameters of the next redirect. */
  redirect() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close() {
    this.#redirects.close();
  }

  #redirected({ url }, response) {
    const { searchParams } = new URL(url, this.redirectUrl);
    const expected = searchParams.get('state') === this.#stored.state;
    response.writeHead(expected ? 200 : 400, { connection: 'close' }).end(expected ? 'Go back to the client.\n' : 'Unknown state.\n');
    if (expected) this.#waiting.shift()?.(searchParams);
  }
}

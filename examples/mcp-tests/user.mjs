// The user of a client: opens the URL that the client prints, with a browser that keeps cookies and follows redirects.

/** Follows the redirects from the authorization server to the client. */
export class Browser {
  #cookies = new Map();

  async open(url) {
    for (let redirects = 0; redirects < 20; redirects += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
      const text = await response.text();
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = line.split(';', 1)[0].split('=');
        this.#cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) {
        if (!response.ok) throw new Error(`${url.split('?', 1)[0]} answered ${response.status}: ${text}`);
        return;
      }
      url = new URL(location, url).href;
    }
    throw new Error('expected the way back to the client, got 20 redirects');
  }
}

/** Runs a client to its end, and logs in when it asks for that. Gives the scopes asked for, and its other lines. */
export async function use(client) {
  const browser = new Browser();
  const scopes = [];
  const lines = [];
  client.watch((line) => {
    if (!line.startsWith('Open ')) {
      lines.push(line);
      return;
    }
    const url = line.slice('Open '.length);
    scopes.push(new URL(url).searchParams.get('scope').split(' ').filter((scope) => scope !== 'offline_access').sort().join(' '));
    browser.open(url).catch((error) => {
      lines.push(String(error));
      client.stop();
    });
  });
  const code = await client.ended;
  return { code, scopes, lines };
}

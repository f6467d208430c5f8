// The session of both clients. The SDK discovers, registers and exchanges the code; the user's part is to open a URL.

import { Login } from './login.mjs';

/** Lists the files and deletes one, on the MCP server that the command line names. */
export async function run({ newClient, newTransport, finish, UnauthorizedError }) {
  const url = new URL(process.argv[2] ?? 'http://127.0.0.1:8000/mcp');
  const login = await Login.start();
  let transport;

  /** Does something, and does it again after a login if the server asks for one or for more scope. */
  async function withLogin(action) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await finish(transport, await login.redirect());
      return action();
    }
  }

  const client = await withLogin(async () => {
    const client = newClient();
    transport = newTransport(url, login);
    await client.connect(transport);
    return client;
  });
  console.log('connected');
  for (const call of [{ name: 'list_files', arguments: {} }, { name: 'delete_file', arguments: { name: 'draft.txt' } }]) {
    const { content } = await withLogin(() => client.callTool(call));
    console.log(`${call.name}: ${content[0].text.replaceAll('\n', ', ')}`);
  }
  await client.close();
  login.close();
}

'use strict';

const express = require('express');

const settings = require('./settings');

const app = express();

app.use('/secured', require('./secured.controller'));

const server = app.listen(settings.port, settings.host, (error) => {
  if (error) {
    throw error;
  }
  const url = `http://${settings.host}:${server.address().port}`;
  console.log(`listening on ${url}`);
  console.log(whatToTry(url));
});

/** Lines to paste into a shell. */
function whatToTry(url) {
  return `
${whereTokensComeFrom()}

curl -i -H "Authorization: Bearer $TOKEN" ${url}/secured/token
curl -i -H "Authorization: Bearer $TOKEN" ${url}/secured/scope
curl -i -H "Authorization: Bearer $TOKEN" ${url}/secured/claim
`;
}

function whereTokensComeFrom() {
  if (process.env.JWKS_URI !== undefined) {
    return '# With an access token of your authorization server in TOKEN:';
  }
  const asked = `-d scope=read --data-urlencode 'claims={"myClaim":"someRequiredValue"}'`;
  return `# Tokens come from the demo's authorization server. Start it at the root of the repository:
#   cargo run -- --listen 127.0.0.1:3002
TOKEN=$(curl -s ${new URL('/token', settings.jwks_uri)} -d grant_type=client_credentials -d client_id=demo \\
  -d client_secret=demo ${asked} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`;
}

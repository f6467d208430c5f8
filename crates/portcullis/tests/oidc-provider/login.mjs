// The login page of the authorization server, without a page: the user `alice` logs in and consents to all that the client asks for.

/** The path of interactions, followed by the id of one. */
export const INTERACTIONS = '/interaction/';

/** Answers the request for an interaction: the user agent goes on to the client. */
export async function logIn(provider, request, response) {
  try {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    const result = prompt.name === 'login'
      ? { login: { accountId: 'alice' } }
      : { consent: { grantId: await consent(provider, prompt, params, session, grantId) } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
  }
}

/** Grants the scopes that are asked for and not yet granted; gives the id of the grant. */
async function consent(provider, { details }, { client_id: clientId }, { accountId }, grantId) {
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId, clientId });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

// The types of portcullis/http and portcullis/fetch.
import http from 'node:http';
import http2 from 'node:http2';

import { type Access, getSimpleJwksService, secure } from 'portcullis';
import { judge, protect as protectFetch } from 'portcullis/fetch';
import { protect } from 'portcullis/http';

const guard = secure(getSimpleJwksService('https://myoauthserver.com/auth/jwks'));
const optional = secure(getSimpleJwksService('https://myoauthserver.com/auth/jwks'), { optional: true });

http.createServer(protect(guard, (req, res) => res.end(`${req.url} ${req.claims.sub} ${req.auth.scopes.length}`)));
http2.createServer(protect<Access, http2.Http2ServerRequest, http2.Http2ServerResponse>(guard, (req, res) => res.end(`${req.authority} ${req.claims.sub}`)));
http2.createServer(protect(guard, (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => res.end(req.authority)));
http.createServer(protect(optional, (req, res) => res.end(req.auth?.claims.sub), (error, req, res) => res.writeHead(500).end(String(error))));
// @ts-expect-error the request may be without a token
http.createServer(protect(optional, (req, res) => res.end(req.auth.claims.sub)));
// @ts-expect-error no handler
protect(guard);

export const GET: (request: Request) => Promise<Response> = protectFetch(guard, async (request, { claims }) => Response.json({ url: request.url, sub: claims.sub }));
export const POST: (request: Request, context: { id: string }) => Promise<Response> =
  protectFetch(optional, (request, access, context: { id: string }) => new Response(`${request.method} ${access?.claims.sub} ${context.id}`));
const judged: Access | Response = await judge(guard, new Request('https://api.example.com'));
const perhaps: Access | Response | null = await judge(optional, new Request('https://api.example.com'));
console.log(judged, perhaps);
// @ts-expect-error no request
await judge(guard, {});
// @ts-expect-error the request may be without a token
protectFetch(optional, (request, access) => new Response(access.claims.sub));

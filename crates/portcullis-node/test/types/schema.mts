// Claims typed by a schema, of each library.
import { type } from 'arktype';
import express from 'express';
import { type Access, type Claims, type ClaimsOf, type Guard, type Options, localKeys, mcp, secure } from 'portcullis';
import { tokenVerifier } from 'portcullis/mcp';
import * as v from 'valibot';
import { z } from 'zod';

const keys = localKeys('{}');
const resource = 'https://api.example.com';

const byZod = secure(keys, { audience: 'a', schema: z.object({ sub: z.string(), level: z.coerce.number() }).transform((claims) => ({ ...claims, since: new Date() })) });
const byValibot = secure(keys, { schema: v.object({ level: v.pipe(v.string(), v.transform(Number)) }) });
const byArktype = secure(keys, { schema: type({ level: 'string.numeric.parse', 'plan?': "'team' | 'company'" }) });

const { claims, payload, extra } = await byZod.verify('token');
const [level, since, own, same]: [number, Date, Claims, string] = [claims.level, claims.since, payload, extra.claims.sub];
const levels: number[] = [(await byValibot.verifyRequest({})).claims.level, (await byArktype.verify('token')).claims.level];
const plan: 'team' | 'company' | undefined = (await byArktype.verify('token')).claims.plan;

const typed: ClaimsOf<typeof byZod> = { sub: 'a', level: 1, since: new Date() };
const guard: Guard<Access<{ sub: string; level: number; since: Date }>> = byZod;
const options: Options<ReturnType<typeof schemaOf>> = { schema: schemaOf(), scope: 'read' };
const optional = secure(keys, { ...options, optional: true });
const anyone: number | undefined = (await optional.verifyRequest({}))?.claims.level;
const sure: number = (await optional.verify('token')).claims.level;
const ofResource: number = (await mcp({ resource, issuer: resource }).guard({ schema: schemaOf() }).verify('token')).claims.level;
const ofTool: number = (await tokenVerifier({ resource, issuer: resource, schema: schemaOf() }).verifyAccessToken('token')).extra.claims.level;

// Without a schema, as before.
const plain: Guard = secure(keys);
const untyped: Claims = (await secure(keys, { scope: 'read' }).verify('token')).claims;
const none: ClaimsOf<typeof plain> = untyped;
express().use(byZod, byValibot, byArktype, optional);

function schemaOf() {
  return z.object({ level: z.number() });
}

[level, since, own, same, levels, plan, typed, guard, anyone, sure, ofResource, ofTool, none];

// @ts-expect-error a claim that the schema leaves out
claims.iss;
// @ts-expect-error the type before the transformation
const text: string = (await byValibot.verify('token')).claims.level;
// @ts-expect-error no schema
secure(keys, { schema: { level: 'number' } });
// @ts-expect-error a function of a schema
secure(keys, { schema: schemaOf });
// @ts-expect-error an output that is no object
secure(keys, { schema: z.object({ sub: z.string() }).transform(({ sub }) => sub) });

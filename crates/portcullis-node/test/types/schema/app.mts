// An app that declares the type of its claims once.
import express from 'express';
import { type ClaimsOf, localKeys, secure } from 'portcullis';
import { z } from 'zod';

const guard = secure(localKeys('{}'), { schema: z.object({ sub: z.string(), level: z.number() }) });

declare global {
  namespace Portcullis {
    interface Register {
      claims: ClaimsOf<typeof guard>;
    }
  }
}

const app = express();
app.get('/', guard, (req, res) => {
  const { level }: { level: number } = req.claims!;
  const of: number | undefined = req.auth?.claims.level;
  const issuer: string | undefined = req.auth?.payload.iss;
  // @ts-expect-error a claim that the schema leaves out
  req.claims?.iss;
  res.json({ level, of, issuer });
});

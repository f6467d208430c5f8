// Four ways of Node: `new URL`, `url.parse`, Express 5 and Express 4. Arguments: the folder of Express, and a port for each.
import http from "node:http";
import url from "node:url";
import { createRequire } from "node:module";

const [folder, ...ports] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);

const listeners = [
  (request, response) => response.end(new URL(request.url, "http://host").pathname),
  (request, response) => response.end(url.parse(request.url).pathname),
  express(require("express")),
  express(require("express4")),
];
listeners.forEach((listener, at) => http.createServer(listener).listen(Number(ports[at]), "127.0.0.1"));

/** An application that answers with the part that it selected. */
function express(express) {
  const app = express();
  for (const part of ["/admin", "/public"]) app.use(part, (request, response) => response.end(part));
  app.use((request, response) => response.end("/"));
  app.use((error, request, response, next) => response.status(400).end());
  return app;
}

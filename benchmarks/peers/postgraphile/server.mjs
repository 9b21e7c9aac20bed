// PostGraphile over the peers' tables, with the settings of a production server. Settings come from one JSON file.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createHash, timingSafeEqual } from "node:crypto";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const digest = (text) => createHash("sha256").update(text).digest();
const expected = digest(`Bearer ${settings.token}`);

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: settings.database_url,
      schemas: ["public"],
      poolConfig: { max: settings.pool_size },
    }),
  ],
  grafserv: { graphqlPath: "/graphql", watch: false, websockets: false, graphiql: false },
  grafast: { explain: false },
};

const instance = postgraphile(preset);
const service = instance.createServ(grafserv);
const answer = service.createHandler(false);
const server = createServer((request, response) => {
  if (timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) {
    answer(request, response);
  } else {
    response.writeHead(401).end();
  }
});
await service.ready();
server.listen(settings.port, "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    server.closeAllConnections();
    server.close();
    await instance.release();
    process.exit(0);
  });
}

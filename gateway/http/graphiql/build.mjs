// Bundle GraphiQL into a folder beside this file: page, script, styles, font and three workers.
import { copyFile, rename, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bundle = here("bundle");
const unfinished = here("bundle.unfinished");

await rm(unfinished, { recursive: true, force: true });
await build({
  entryPoints: {
    main: here("source/main.jsx"),
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  },
  absWorkingDir: here("."),
  bundle: true,
  define: { "process.env.NODE_ENV": '"production"' },
  format: "iife",
  jsx: "automatic",
  legalComments: "none",
  loader: { ".ttf": "file" },
  assetNames: "[name]",
  logLevel: "warning",
  minify: true,
  outdir: unfinished,
  target: "es2022",
});
await copyFile(here("source/index.html"), `${unfinished}/index.html`);

// Swap at the end, so that a failed build leaves the last good one in place.
await rm(bundle, { recursive: true, force: true });
await rename(unfinished, bundle);

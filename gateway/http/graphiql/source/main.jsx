// GraphiQL, opened on the documented example operations that the gateway serves.
import "graphiql/style.css";
import "./main.css";

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { storage } from "./storage.js";

const WORKERS = { json: "graphiql/json.worker.js", graphql: "graphiql/graphql.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(WORKERS[label] ?? "graphiql/editor.worker.js"),
};

async function loadTabs() {
  try {
    const response = await fetch("graphiql/examples.json");
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

// The first tab is given twice: GraphiQL fills the editors of the tab it opens on from these props.
function props([first]) {
  return first === undefined
    ? {}
    : {
        defaultHeaders: first.headers,
        initialHeaders: first.headers,
        initialQuery: first.query,
        initialVariables: first.variables,
      };
}

loadTabs().then((tabs) => {
  const fetcher = createGraphiQLFetcher({ url: "graphql" });
  createRoot(document.getElementById("graphiql")).render(
    <GraphiQL
      {...props(tabs)}
      defaultEditorToolsVisibility="variables"
      defaultTabs={tabs.length === 0 ? undefined : tabs}
      fetcher={fetcher}
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
      storage={storage}
    />,
  );
});

// Bundles one React component `Chat` with all it needs, as a page would: `node bundle.mjs 7 Chat.jsx out.js`.
import { build } from "esbuild";

const [, , version, component, outfile] = process.argv;
const contents = `
  import { StrictMode } from "react";
  import { createRoot } from "react-dom/client";
  import { Chat } from "./${component}";
  const id = new URLSearchParams(location.search).get("chat");
  createRoot(document.body).render(<StrictMode><Chat id={id} /></StrictMode>);
`;
await build({
  stdin: { contents, resolveDir: ".", loader: "jsx" },
  bundle: true,
  format: "esm",
  jsx: "automatic",
  // Strict mode mounts twice in development, which must resume once all the same.
  define: { "process.env.NODE_ENV": '"development"' },
  alias: { ai: `ai${version}`, "@ai-sdk/react": `react${version}` },
  outfile,
});
console.log(JSON.stringify(outfile));

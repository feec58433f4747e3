import { defineConfig } from "vite";

// The server that `make dev` talks to; its own setting says its port.
const server = `http://127.0.0.1:${process.env["POTOK_PORT"] ?? "8000"}`;

export default defineConfig({
  build: {
    outDir: "../src/potok/server/ui",
    emptyOutDir: true,
    target: ["chrome111", "firefox115", "safari16.4"],
    // The page's policy allows neither inline code nor `data:` scripts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    port: 3000,
    strictPort: true,
    proxy: {
      "/api": { target: server, ws: true },
      "/v1": server,
      "/healthz": server,
    },
  },
});

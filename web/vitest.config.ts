import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "node",
    // An unhandled rejection is a fault of ours, and vitest fails on it.
    testTimeout: 20_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});

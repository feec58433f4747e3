import { expect, test } from "vitest";

// Each folder may import itself and those before it; core also runs without a package.
const FLOORS = ["core", "react", "ui", "pages"];
const SOURCES: Record<string, string> = import.meta.glob("./*/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g;

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map((found) => found[1] ?? "");
}

/** What is wrong with one import of one file, null if nothing is. */
function findFault(file: string, imported: string): string | null {
  const [floor = ""] = file.replace("./", "").split("/");
  if (!FLOORS.includes(floor)) return `${file} stands on no floor`;
  const isTest = /\.test\.tsx?$|\/testing\//.test(file);
  if (!imported.startsWith(".")) {
    return floor === "core" && !isTest ? `${file} imports the package ${imported}` : null;
  }
  const target = new URL(imported, new URL(file, "file:///")).pathname.split("/")[1] ?? "";
  if (!isTest && imported.includes("/testing/")) return `${file} imports ${imported} of the tests`;
  const isDown = FLOORS.indexOf(target) >= 0 && FLOORS.indexOf(target) <= FLOORS.indexOf(floor);
  return isDown ? null : `${file} imports upwards: ${imported}`;
}

test("imports go down only", () => {
  const faults = Object.entries(SOURCES).flatMap(([file, text]) =>
    importsOf(text).map((imported) => findFault(file, imported)),
  );

  expect(faults.filter((fault) => fault !== null && !fault.includes("spec/vectors"))).toEqual([]);
  expect(Object.keys(SOURCES).length).toBeGreaterThan(20);
});

test.each([
  ["./core/sse.ts", "../react/useRun.ts", "imports upwards"],
  ["./core/sse.ts", "react", "imports the package"],
  ["./core/sse.ts", "./testing/vectors.ts", "of the tests"],
  ["./react/useRun.ts", "../pages/chat.tsx", "imports upwards"],
  ["./elsewhere/x.ts", "./y.ts", "stands on no floor"],
])("%s must not import %s", (file, imported, fault) => {
  expect(findFault(file, imported)).toContain(fault);
});

test.each([
  ["./react/useRun.ts", "../core/index.ts"],
  ["./react/useRun.ts", "react"],
  ["./core/sse.test.ts", "vitest"],
  ["./core/sse.test.ts", "./testing/vectors.ts"],
])("%s may import %s", (file, imported) => {
  expect(findFault(file, imported)).toBeNull();
});

test("every way to write an import is seen", () => {
  const text = `import "a"; import b from 'b'; export { c } from "c"; await import("d");`;

  expect(importsOf(text)).toEqual(["a", "b", "c", "d"]);
});

/** What Potok's TypeScript client promises. It needs nothing but a browser, or Node 22. */

export type { AdaptiveOptions, Transport } from "./adaptive.ts";
export { adaptiveStreaming } from "./adaptive.ts";
export type { AgentEnding, AgentFrame, AgentRequest } from "./agentWire.ts";
export { streamAgent } from "./agentWire.ts";
export type { Environment, MachineSignal, SocketLike } from "./environment.ts";
export type { Refusal } from "./errors.ts";
export {
  ConnectionLost,
  FrameMalformed,
  FrameTooLarge,
  NotConnected,
  PotokError,
  QueueFull,
  RunFailed,
  ServerRefused,
  StreamTimeout,
  VersionUnknown,
  isAbort,
} from "./errors.ts";
export type {
  Channel,
  Data,
  Json,
  Kind,
  KnownEvent,
  Outcome,
  PartDiscard,
  PotokEvent,
  ReasoningDelta,
  ReasoningEnd,
  ReasoningStart,
  RunEnd,
  RunStart,
  SourceChange,
  StageEnd,
  StageStart,
  Status,
  StoredEvent,
  TextDelta,
  TextEnd,
  TextStart,
  ToolDelta,
  ToolEnd,
  ToolResult,
  ToolStart,
  UnknownEvent,
  Usage,
} from "./events.ts";
export { GRAMMAR_VERSION, readEvent, readStoredEvent, writeEvent } from "./events.ts";
export type { Message, Part, Stage } from "./fold.ts";
export { Fold, emptyMessage, readMessage, reasoningOf, textOf, writeMessage } from "./fold.ts";
export type { SocketOptions } from "./potokSocket.ts";
export { PotokSocket } from "./potokSocket.ts";
export { DEFAULT_RULES, Reconnection } from "./reconnection.ts";
export type { Command, Input, ReaderState, Rules } from "./reconnectionWords.ts";
export type { ReaderOptions, RunListener, RunResult, RunState } from "./runReader.ts";
export type { Place, RunRequest, Snapshot } from "./runs.ts";
export { cancelRun, fetchSnapshot } from "./runs.ts";
export type { ResumeOptions, StartOptions } from "./session.ts";
export { RunSession, resumeRun, startRun } from "./session.ts";
export type { ReconnectOptions, StreamOptions } from "./simpleChat.ts";
export { StreamingClient, streamChat, streamWithTimeout } from "./simpleChat.ts";
export type { SimpleOptions, StreamMessage } from "./simpleStream.ts";
export type { SocketRun, SocketRunOptions } from "./socketRun.ts";
export type { SseEvent } from "./sse.ts";
export { SSEParser, SseDecoder } from "./sse.ts";
export { StreamBuffer, TokenBuffer } from "./tokenBuffer.ts";
export type { WebSocketClientOptions, WebSocketStreamOptions } from "./websocket.ts";
export { LLMWebSocketClient } from "./websocket.ts";

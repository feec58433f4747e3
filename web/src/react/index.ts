/** What Potok promises to React: hooks over `core`. */

export type { StreamingChat, StreamingChatOptions } from "./useStreamingChat.ts";
export { useStreamingChat } from "./useStreamingChat.ts";
export type { AgentStreamOptions } from "./useAgentFrames.ts";
export type { AgentStream, AgentTurn, AgentWish, StageUpdate } from "./useAgentStream.ts";
export { useAgentStream } from "./useAgentStream.ts";
export type { JewelryStream, JewelryWish } from "./useJewelryStream.ts";
export { useJewelryStream } from "./useJewelryStream.ts";

/** What Potok promises to React: hooks over `core`. */

export type { StreamingChat, StreamingChatOptions } from "./useStreamingChat.ts";
export { useStreamingChat } from "./useStreamingChat.ts";

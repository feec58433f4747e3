/** What the agents' routes wrote, as recorded from a server; shortened in the middle. */

export const CODING_RUN = "01m7yfftd7vwfwpdygaybxgdxf";

/** `POST /api/agent/stream`, mode `code`; one block each. */
export const CODING_BLOCKS: readonly string[] = [
  `event: stage_update\ndata: {"stage":"planner","state":"started","attempt":1,"message":"Планирую решение..."}\nid: ${CODING_RUN}.2\n\n`,
  `event: stage_update\ndata: {"stage":"planner","state":"finished","attempt":1,"message":"План готов"}\nid: ${CODING_RUN}.3\n\n`,
  `event: stage_update\ndata: {"stage":"coder","state":"started","attempt":1,"message":"Пишу код..."}\nid: ${CODING_RUN}.4\n\n`,
  `event: token\ndata: {"text":"def count"}\nid: ${CODING_RUN}.6\n\n`,
  `event: token\ndata: {"text":"(text): 🌍\\n"}\nid: ${CODING_RUN}.7.1\n\n`,
  `event: metadata\ndata: {"task_id":"${CODING_RUN}","files":[],"iterations":1}\nid: ${CODING_RUN}.22\n\n`,
  `event: done\ndata: {"message":"Готово","task_id":"${CODING_RUN}"}\nid: ${CODING_RUN}.23\n\n`,
];

export const JEWELRY_RUN = "01m7yffth81tbttaw0vbzb1dpm";

/** `POST /api/orchestrator/{user_id}/stream`; one block each. */
export const JEWELRY_BLOCKS: readonly string[] = [
  `data: {"type":"status","message":"Обрабатываю запрос...","code":"received"}\nid: ${JEWELRY_RUN}.2\n\n`,
  `data: {"type":"token","agent":"analysis","content":"Всего"}\nid: ${JEWELRY_RUN}.7\n\n`,
  `data: {"type":"token","agent":"trend","content":"Броши"}\nid: ${JEWELRY_RUN}.8\n\n`,
  `data: {"type":"token","agent":"analysis","content":" 800 клиентов"}\nid: ${JEWELRY_RUN}.9\n\n`,
  `data: {"type":"metadata","data":{"analysis":{"total_customers":800}},"completed_agents":["analysis","trend"]}\nid: ${JEWELRY_RUN}.91\n\n`,
  `data: {"type":"done","message":"Готово"}\nid: ${JEWELRY_RUN}.92\n\n`,
];

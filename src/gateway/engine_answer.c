/*
 * engine_answer.c - answers wait for the commit, and then go out in order (see
 * engine.h); with faults set (fault.h), some of them late and some never.
 */
#include "fed_config.h"

#include <stdlib.h>

#include "src/core/mem.h"
#include "src/gateway/engine_in.h"

static void _put(gw_engine_t *engine, gw_answer_t *answer)
{
	*engine->answers_end = answer;
	engine->answers_end = &answer->next;
}

extern void gw_engine_answer(gw_engine_t *engine, flurm_request_t *request,
			     flurm_result_t *result)
{
	gw_answer_t *answer = fed_calloc(1, sizeof(*answer));

	answer->request = request;
	answer->result = *result;
	_put(engine, answer);
}

extern void gw_engine_answer_text(gw_engine_t *engine,
				  flurm_request_t *request, int status,
				  const char *type, char *text, size_t len)
{
	gw_answer_t *answer = fed_calloc(1, sizeof(*answer));

	answer->request = request;
	answer->status = status;
	answer->type = type;
	answer->text = text;
	answer->len = len;
	_put(engine, answer);
}

static void _send(gw_engine_t *engine, gw_answer_t *answer)
{
	if (gw_fault_loses(engine->faults))
		flurm_request_lose(answer->request);
	if (answer->text) {
		flurm_request_reply(answer->request, answer->status,
				    answer->type, answer->text, answer->len);
		free(answer->text);
	} else {
		flurm_request_reply_result(answer->request, &answer->result);
		flurm_result_free(&answer->result);
	}
	free(answer);
}

static void _send_late_until(gw_engine_t *engine, int64_t now_ms)
{
	gw_answer_t *answer;

	while ((answer = engine->late) && (answer->late_ms <= now_ms)) {
		engine->late = answer->next;
		if (!engine->late)
			engine->late_end = &engine->late;
		_send(engine, answer);
	}
}

extern void gw_engine_send_answers(gw_engine_t *engine)
{
	int64_t delay_ms = gw_fault_delay_ms(engine->faults);
	gw_answer_t *answer;

	while ((answer = engine->answers)) {
		engine->answers = answer->next;
		if (!delay_ms) {
			_send(engine, answer);
			continue;
		}
		answer->late_ms = engine->now_ms + delay_ms;
		answer->next = NULL;
		*engine->late_end = answer;
		engine->late_end = &answer->next;
	}
	engine->answers_end = &engine->answers;
	_send_late_until(engine, engine->now_ms);
}

extern void gw_engine_send_late(gw_engine_t *engine)
{
	_send_late_until(engine, GW_NEVER);
}

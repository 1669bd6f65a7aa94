/*
 * result.c - the answer to an op (see result.h).
 */
#include "src/flurm/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/field.h"

#define FIELD_RECORD flurm_result_t
static const field_t fields[] = {
	FIELD_ANY(reason),
	FIELD_RANGE(retry_after, 0, FIELD_U32_MAX),
	FIELD_KEY32(fed_job_id),
	FIELD_KEY32(epoch),
	FIELD_KEY64(job_id),
	FIELD(state, FIELD_STATE, 0, 0),
};
static const field_table_t table = FIELD_TABLE("result", fields);

extern void flurm_result_init(flurm_result_t *result)
{
	*result = (flurm_result_t) { 0 };
	field_init(&table, result);
}

extern void flurm_result_free(flurm_result_t *result)
{
	field_free(&table, result);
	flurm_result_init(result);
}

extern int flurm_result_set(flurm_result_t *result, int status,
			    const char *error, const char *fmt, ...)
{
	char reason[FED_ERR_TEXT_MAX];
	va_list ap;

	/* an argument may be the reason that is freed here */
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	flurm_result_free(result);
	result->status = status;
	snprintf(result->error, sizeof(result->error), "%s",
		 error ? error : flurm_error_code(status));
	result->reason = fed_strdup(reason);
	return -1;
}

extern const char *flurm_error_code(int status)
{
	switch (status) {
	case 400:
		return "bad_request";
	case 401:
		return "unauthorized";
	case 403:
		return "forbidden";
	case 404:
		return "no_such_job";
	case 405:
		return "method_not_allowed";
	case 409:
		return "conflict";
	case 410:
		return "gone";
	case 413:
		return "too_large";
	case 422:
		return "not_acceptable";
	case 429:
		return "busy";
	case 431:
		return "header_too_large";
	case 503:
		return "not_ready";
	default:
		return (status < 500) ? "refused" : "internal";
	}
}

extern json_t *flurm_result_to_json(const flurm_result_t *result)
{
	json_t *json = json_object();

	if (field_to_json(&table, result, json) < 0)
		goto fail;
	/* an epoch of 0 is one too */
	if (result->fed_job_id && !result->epoch &&
	    (json_object_set_new(json, "epoch", json_integer(0)) < 0))
		goto fail;
	if (result->error[0] &&
	    (json_object_set_new(json, "error",
				 json_string(result->error)) < 0))
		goto fail;
	return json;
fail:
	json_decref(json);
	return NULL;
}

extern int flurm_result_from_json(const json_t *json, int status,
				  flurm_result_t *ret_result, fed_err_t *err)
{
	const json_t *error = json_object_get(json, "error");

	flurm_result_init(ret_result);
	if (field_from_json(&table, json, ret_result, err) < 0)
		goto fail;
	if (error && !json_is_null(error)) {
		const char *text = json_string_value(error);

		if (!text) {
			fed_err_set(err, EINVAL, "error: not a string");
			goto fail;
		}
		/* FLURM itself has sentences here, and no reason */
		snprintf(ret_result->error, sizeof(ret_result->error), "%s",
			 (strlen(text) < FLURM_ERROR_CODE_MAX) ?
			 text : flurm_error_code(status));
		if (!ret_result->reason)
			ret_result->reason = fed_strdup(text);
	}
	ret_result->status = status;
	return 0;
fail:
	flurm_result_free(ret_result);
	return -1;
}

extern json_t *flurm_result_to_batch(const flurm_result_t *result)
{
	json_t *json = flurm_result_to_json(result);

	if (json_object_set_new(json, "status",
				json_integer(result->status)) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

extern int flurm_result_from_batch(const json_t *json,
				   flurm_result_t *ret_result, fed_err_t *err)
{
	const json_t *status = json_object_get(json, "status");
	json_int_t number = json_integer_value(status);

	flurm_result_init(ret_result);
	if (!json_is_integer(status) || (number < 200) || (number > 599))
		return fed_err_set(err, EINVAL, "status: not an HTTP status");
	return flurm_result_from_json(json, number, ret_result, err);
}

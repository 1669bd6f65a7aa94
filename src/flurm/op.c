/*
 * op.c - one thing to do with a job (see op.h).
 *
 * An op's JSON is one flat object. That of a submission or an update is the
 * job spec itself, the op's own keys beside it.
 */
#include "src/flurm/op.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/mem.h"
#include "src/flurm/field.h"

#define FIELD_RECORD flurm_op_t
static const field_t fields[] = {
	FIELD_KEY32(fed_job_id),
	FIELD_KEY32(epoch),
	FIELD_KEY32(attempt),
	FIELD_RANGE(signal, 1, 64),
	FIELD_RANGE(retry_after, 0, FIELD_U32_MAX),
	FIELD_ANY(reason),
	FIELD_ANY(text),
};
static const field_table_t table = FIELD_TABLE("op", fields);

static const struct {
	const char *name;
	const char *method;
	const char *verb;	/* the path's end; NULL: the job itself */
	bool has_spec;
} kinds[FLURM_OP_COUNT] = {
	[FLURM_OP_SUBMIT] = { "submit", "POST", NULL, true },
	[FLURM_OP_CANCEL] = { "cancel", "DELETE", NULL, false },
	[FLURM_OP_HOLD] = { "hold", "POST", "hold", false },
	[FLURM_OP_RELEASE] = { "release", "POST", "release", false },
	[FLURM_OP_SUSPEND] = { "suspend", "POST", "suspend", false },
	[FLURM_OP_RESUME] = { "resume", "POST", "resume", false },
	[FLURM_OP_SIGNAL] = { "signal", "POST", "signal", false },
	[FLURM_OP_REQUEUE] = { "requeue", "POST", "requeue", false },
	[FLURM_OP_UPDATE] = { "update", "PATCH", NULL, true },
	[FLURM_OP_START] = { "start", "POST", "start", false },
	[FLURM_OP_REVOKE] = { "revoke", "POST", "revoke", false },
	[FLURM_OP_NOTIFY] = { "notify", "POST", "notify", false },
};

static const char *const scopes[] = {
	[FLURM_SCOPE_STEPS] = "steps",
	[FLURM_SCOPE_BATCH] = "batch",
	[FLURM_SCOPE_FULL] = "full",
};

extern const char *flurm_op_name(flurm_op_kind_t kind)
{
	if ((unsigned int) kind >= FLURM_OP_COUNT)
		return "unknown";
	return kinds[kind].name;
}

extern void flurm_op_init(flurm_op_t *op, flurm_op_kind_t kind)
{
	*op = (flurm_op_t) { .kind = kind };
	field_init(&table, op);
}

extern void flurm_op_free(flurm_op_t *op)
{
	if (op->spec)
		flurm_job_spec_free(op->spec);
	free(op->spec);
	field_free(&table, op);
	flurm_op_init(op, op->kind);
}

extern void flurm_op_copy(flurm_op_t *ret_op, const flurm_op_t *op)
{
	flurm_op_init(ret_op, op->kind);
	ret_op->scope = op->scope;
	ret_op->grant = op->grant;
	ret_op->hold = op->hold;
	field_copy(&table, ret_op, op);
	if (!op->spec)
		return;
	ret_op->spec = fed_calloc(1, sizeof(*ret_op->spec));
	flurm_job_spec_copy(ret_op->spec, op->spec);
}

static int _set(json_t *json, const char *name, json_t *value)
{
	return json_object_set_new(json, name, value);
}

/* Everything but "op" itself. */
static json_t *_body(const flurm_op_t *op)
{
	json_t *json = op->spec ? flurm_job_spec_to_json(op->spec) :
				  json_object();

	if (field_to_json(&table, op, json) < 0)
		goto fail;
	if (op->fed_job_id && !op->epoch &&
	    (_set(json, "epoch", json_integer(0)) < 0))
		goto fail;
	if ((op->kind == FLURM_OP_SIGNAL) &&
	    (_set(json, "scope", json_string(scopes[op->scope])) < 0))
		goto fail;
	if ((op->kind == FLURM_OP_START) &&
	    (_set(json, "grant", json_boolean(op->grant)) < 0))
		goto fail;
	if ((op->kind == FLURM_OP_REQUEUE) && op->hold &&
	    (_set(json, "hold", json_true()) < 0))
		goto fail;
	return json;
fail:
	json_decref(json);
	return NULL;
}

extern json_t *flurm_op_to_json(const flurm_op_t *op)
{
	json_t *json = _body(op);

	if (_set(json, "op", json_string(flurm_op_name(op->kind))) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static int _flag(const json_t *json, const char *name, bool required,
		 bool *ret_flag, fed_err_t *err)
{
	const json_t *flag = json_object_get(json, name);

	if (!flag || json_is_null(flag)) {
		if (required)
			return fed_err_set(err, EINVAL, "%s: missing", name);
		return 0;
	}
	if (!json_is_boolean(flag))
		return fed_err_set(err, EINVAL, "%s: neither true nor false",
				   name);
	*ret_flag = json_is_true(flag);
	return 0;
}

static int _scope(const json_t *json, flurm_scope_t *ret_scope, fed_err_t *err)
{
	const json_t *scope = json_object_get(json, "scope");

	if (!scope || json_is_null(scope))
		return 0;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		if (json_is_string(scope) &&
		    !strcmp(json_string_value(scope), scopes[i])) {
			*ret_scope = i;
			return 0;
		}
	}
	return fed_err_set(err, EINVAL,
			   "scope: not one of steps, batch, full");
}

/* Every op but FLURM's own submission says which job and which epoch. */
static int _key(const flurm_op_t *op, const json_t *json, fed_err_t *err)
{
	if (!op->fed_job_id && (op->kind != FLURM_OP_SUBMIT))
		return fed_err_set(err, EINVAL, "fed_job_id: missing");
	if (op->fed_job_id && !json_is_integer(json_object_get(json, "epoch")))
		return fed_err_set(err, EINVAL, "epoch: missing");
	return 0;
}

static int _spec(flurm_op_t *op, const json_t *json, fed_err_t *err)
{
	if (!kinds[op->kind].has_spec)
		return 0;
	op->spec = fed_calloc(1, sizeof(*op->spec));
	return flurm_job_spec_from_json(json, op->spec, err);
}

extern int flurm_op_of_kind(flurm_op_kind_t kind, const json_t *json,
			    flurm_op_t *ret_op, fed_err_t *err)
{
	flurm_op_init(ret_op, kind);
	if ((field_from_json(&table, json, ret_op, err) < 0) ||
	    (_key(ret_op, json, err) < 0) ||
	    (_spec(ret_op, json, err) < 0))
		goto fail;
	if ((kind == FLURM_OP_SIGNAL) &&
	    ((_scope(json, &ret_op->scope, err) < 0) ||
	     (!flurm_is_set(ret_op->signal) &&
	      (fed_err_set(err, EINVAL, "signal: missing") < 0))))
		goto fail;
	if ((kind == FLURM_OP_NOTIFY) && !ret_op->text &&
	    (fed_err_set(err, EINVAL, "text: missing") < 0))
		goto fail;
	if ((kind == FLURM_OP_START) &&
	    (_flag(json, "grant", true, &ret_op->grant, err) < 0))
		goto fail;
	if ((kind == FLURM_OP_REQUEUE) &&
	    (_flag(json, "hold", false, &ret_op->hold, err) < 0))
		goto fail;
	return 0;
fail:
	flurm_op_free(ret_op);
	return -1;
}

extern int flurm_op_from_json(const json_t *json, flurm_op_t *ret_op,
			      fed_err_t *err)
{
	const char *name = json_string_value(json_object_get(json, "op"));

	flurm_op_init(ret_op, FLURM_OP_COUNT);
	if (!json_is_object(json))
		return fed_err_set(err, EINVAL, "op: not an object");
	if (!name)
		return fed_err_set(err, EINVAL, "op: not a string");
	for (int i = 0; i < FLURM_OP_COUNT; i++)
		if (!strcmp(name, kinds[i].name))
			return flurm_op_of_kind(i, json, ret_op, err);
	return fed_err_set(err, EINVAL, "op: there is no \"%.32s\"", name);
}

extern const char *flurm_op_request(const flurm_op_t *op,
				    char ret_path[FLURM_OP_PATH_MAX])
{
	const char *verb = kinds[op->kind].verb;
	char signal[32] = "";

	if (flurm_is_set(op->signal))
		snprintf(signal, sizeof(signal), "&signal=%" PRId64,
			 op->signal);
	if (op->kind == FLURM_OP_SUBMIT)
		snprintf(ret_path, FLURM_OP_PATH_MAX, "/api/v1/jobs");
	else if (op->kind == FLURM_OP_CANCEL)
		snprintf(ret_path, FLURM_OP_PATH_MAX,
			 "/api/v1/jobs/%u?epoch=%u%s", op->fed_job_id,
			 op->epoch, signal);
	else
		snprintf(ret_path, FLURM_OP_PATH_MAX, "/api/v1/jobs/%u%s%s",
			 op->fed_job_id, verb ? "/" : "", verb ? verb : "");
	return kinds[op->kind].method;
}

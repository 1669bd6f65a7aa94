/*
 * wire.c - FLURM's binary federation messages (see wire.h).
 */
#include "src/flurm/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/mem.h"
#include "src/flurm/base64.h"
#include "src/flurm/etf.h"

#define OLDER_VERSION 0x2600
#define AFTER_LENGTH 16		/* the header's bytes that length counts */

extern void flurm_wire_msg_init(flurm_wire_msg_t *msg)
{
	*msg = (flurm_wire_msg_t) { .version = FLURM_WIRE_VERSION };
	flurm_job_spec_init(&msg->spec);
}

extern void flurm_wire_msg_free(flurm_wire_msg_t *msg)
{
	free(msg->fed_job_id);
	free(msg->cluster);
	free(msg->target);
	free(msg->text);
	flurm_job_spec_free(&msg->spec);
	flurm_wire_msg_init(msg);
}

static bool _known(uint16_t type)
{
	return (type >= FLURM_MSG_JOB_SUBMIT) && (type <= FLURM_MSG_JOB_FAILED);
}

/* --- from FLURM --- */

/*
 * u32 (length + 1), bytes, NUL.
 * RET malloc'd, or NULL: reader is bad then
 */
static char *_get_text(fed_reader_t *reader)
{
	uint32_t len = fed_get_u32(reader);
	const char *text = len ? fed_get_raw(reader, len) : NULL;

	if (!text || text[len - 1] || memchr(text, '\0', len - 1)) {
		reader->bad = true;
		return NULL;
	}
	return fed_memdup(text, len);
}

/* The part of a job that FLURM sends: at most what is left. */
static int _get_spec(fed_reader_t *reader, flurm_job_spec_t *ret_spec,
		     fed_err_t *err)
{
	uint32_t len = fed_get_u32(reader);
	const void *data = fed_get_raw(reader, len);
	json_t *json;
	int rc;

	if (!data) {
		reader->bad = true;
		return 0;	/* told by the caller */
	}
	json = etf_decode(data, len, err);
	if (!json)
		return -1;
	rc = flurm_job_spec_from_json(json, ret_spec, err);
	json_decref(json);
	return rc;
}

static int _get_body(fed_reader_t *reader, flurm_wire_msg_t *msg,
		     fed_err_t *err)
{
	msg->fed_job_id = _get_text(reader);
	msg->cluster = _get_text(reader);
	switch (msg->type) {
	case FLURM_MSG_JOB_SUBMIT:
		msg->target = _get_text(reader);
		msg->time = fed_get_u64(reader);
		return _get_spec(reader, &msg->spec, err);
	case FLURM_MSG_SIBLING_REVOKE:
		msg->text = _get_text(reader);
		break;
	case FLURM_MSG_JOB_STARTED:
		msg->local_job_id = fed_get_u32(reader);
		msg->time = fed_get_u64(reader);
		break;
	default:
		msg->local_job_id = fed_get_u32(reader);
		msg->time = fed_get_u64(reader);
		msg->exit_code = (int32_t) fed_get_u32(reader);
		if (msg->type == FLURM_MSG_JOB_FAILED)
			msg->text = _get_text(reader);
	}
	return 0;
}

static int _get_header(fed_reader_t *reader, flurm_wire_msg_t *msg,
		       fed_err_t *err)
{
	uint32_t length = fed_get_u32(reader);
	size_t left = fed_reader_left(reader);
	uint32_t body_len;

	msg->version = fed_get_u16(reader);
	fed_get_u16(reader);	/* flags */
	msg->type = fed_get_u16(reader);
	body_len = fed_get_u32(reader);
	fed_get_raw(reader, 6);	/* forward, return code, address: none */
	if (reader->bad)
		return fed_err_set(err, EBADMSG, "message: its header ends in "
				   "the middle");
	if ((length != left) || (body_len != fed_reader_left(reader)))
		return fed_err_set(err, EBADMSG, "message: %u bytes and a body "
				   "of %u are said, %zu and %zu are there",
				   length, body_len, left,
				   fed_reader_left(reader));
	if ((msg->version != FLURM_WIRE_VERSION) &&
	    (msg->version != OLDER_VERSION))
		return fed_err_set(err, EPROTO, "message: version 0x%04x",
				   msg->version);
	if (!_known(msg->type))
		return fed_err_set(err, EPROTO, "message: type %u is none of "
				   "2070 to 2074", msg->type);
	return 0;
}

extern int flurm_wire_decode(const void *data, size_t len,
			     flurm_wire_msg_t *ret_msg, fed_err_t *err)
{
	fed_reader_t reader;

	flurm_wire_msg_init(ret_msg);
	fed_reader_init(&reader, data, len);
	if ((_get_header(&reader, ret_msg, err) < 0) ||
	    (_get_body(&reader, ret_msg, err) < 0))
		goto fail;
	if (fed_reader_done(&reader))
		return 0;
	fed_err_set(err, EBADMSG, "message %u: its body is not what it "
		    "should be near byte %td", ret_msg->type,
		    reader.at - (const uint8_t *) data);
fail:
	flurm_wire_msg_free(ret_msg);
	return -1;
}

/* --- to FLURM --- */

static void _put_text(fed_bytes_t *bytes, const char *text)
{
	text = text ? text : "";
	fed_put_block(bytes, text, strlen(text) + 1);
}

/* The fields that FLURM knows, in the order in which it sends them. */
static void _put_spec(fed_bytes_t *bytes, const flurm_job_spec_t *spec)
{
	const struct {
		const char *key;
		const char *text;
		int64_t number;
	} pairs[] = {
		{ "name", spec->name, FLURM_UNSET },
		{ "script", spec->script, FLURM_UNSET },
		{ "partition", spec->partition, FLURM_UNSET },
		{ "num_nodes", NULL, spec->num_nodes },
		{ "num_cpus", NULL, spec->num_cpus },
		{ "memory_mb", NULL, spec->memory_mb },
		{ "time_limit", NULL, spec->time_limit },
		{ "user", spec->user, FLURM_UNSET },
		{ "user_id", NULL, spec->user_id },
		{ "group_id", NULL, spec->group_id },
		{ "account", spec->account, FLURM_UNSET },
		{ "qos", spec->qos, FLURM_UNSET },
		{ "work_dir", spec->work_dir, FLURM_UNSET },
		{ "priority", NULL, spec->priority },
	};
	const size_t most = sizeof(pairs) / sizeof(pairs[0]);
	fed_bytes_t term = { 0 };
	uint32_t count = 0;

	for (size_t i = 0; i < most; i++)
		count += pairs[i].text || flurm_is_set(pairs[i].number);
	etf_put_map(&term, count);
	for (size_t i = 0; i < most; i++) {
		if (pairs[i].text)
			etf_put_text(&term, pairs[i].key, pairs[i].text);
		else if (flurm_is_set(pairs[i].number))
			etf_put_number(&term, pairs[i].key, pairs[i].number);
	}
	fed_put_block(bytes, term.data, term.len);
	fed_bytes_free(&term);
}

static void _put_body(fed_bytes_t *bytes, const flurm_wire_msg_t *msg)
{
	_put_text(bytes, msg->fed_job_id);
	_put_text(bytes, msg->cluster);
	switch (msg->type) {
	case FLURM_MSG_JOB_SUBMIT:
		_put_text(bytes, msg->target);
		fed_put_u64(bytes, msg->time);
		_put_spec(bytes, &msg->spec);
		return;
	case FLURM_MSG_SIBLING_REVOKE:
		_put_text(bytes, msg->text);
		return;
	}
	fed_put_u32(bytes, msg->local_job_id);
	fed_put_u64(bytes, msg->time);
	if (msg->type == FLURM_MSG_JOB_STARTED)
		return;
	fed_put_u32(bytes, (uint32_t) msg->exit_code);
	if (msg->type == FLURM_MSG_JOB_FAILED)
		_put_text(bytes, msg->text);
}

extern void *flurm_wire_encode(const flurm_wire_msg_t *msg, size_t *ret_len)
{
	fed_bytes_t bytes = { 0 }, body = { 0 };

	if (!_known(msg->type))
		return NULL;
	_put_body(&body, msg);
	fed_put_u32(&bytes, AFTER_LENGTH + body.len);
	fed_put_u16(&bytes, msg->version);
	fed_put_u16(&bytes, 0);
	fed_put_u16(&bytes, msg->type);
	fed_put_u32(&bytes, body.len);
	for (int i = 0; i < 3; i++)
		fed_put_u16(&bytes, 0);
	fed_put_raw(&bytes, body.data, body.len);
	fed_bytes_free(&body);
	*ret_len = bytes.len;
	return bytes.data;
}

/* --- the JSON around it --- */

extern int flurm_wire_from_json(const json_t *json, flurm_wire_msg_t *ret_msg,
				fed_err_t *err)
{
	const json_t *type = json_object_get(json, "msg_type");
	const json_t *payload = json_object_get(json, "payload");
	void *data = NULL;
	size_t len;
	int rc = -1;

	flurm_wire_msg_init(ret_msg);
	if (!json_is_integer(type))
		return fed_err_set(err, EINVAL, "msg_type: not an integer");
	if (json_is_string(payload))
		data = flurm_base64_decode(json_string_value(payload),
					   json_string_length(payload), &len);
	if (!data)
		return fed_err_set(err, EINVAL, "payload: not base64");
	if (flurm_wire_decode(data, len, ret_msg, err) < 0) {
		fed_err_prefix(err, "payload");
	} else if (json_integer_value(type) != ret_msg->type) {
		fed_err_set(err, EINVAL, "msg_type: %" JSON_INTEGER_FORMAT
			    ", but the payload's is %u",
			    json_integer_value(type), ret_msg->type);
		flurm_wire_msg_free(ret_msg);
	} else {
		rc = 0;
	}
	free(data);
	return rc;
}

extern json_t *flurm_wire_to_json(const flurm_wire_msg_t *msg)
{
	size_t len;
	void *data = flurm_wire_encode(msg, &len);
	char *payload;
	json_t *json;

	if (!data)
		return NULL;
	payload = flurm_base64_encode(data, len);
	json = json_pack("{s:i, s:s}", "msg_type", msg->type, "payload",
			 payload);
	free(payload);
	free(data);
	return json;
}

/*
 * accounting_row.c - one thing that slurmdbd is to know (see
 * accounting_row.h).
 */
#include "src/sibling/accounting_row.h"

#include <errno.h>

#include "src/sibling/record.h"

#define ROW_VERSION 2
#define ROW_OLDEST 1		/* had neither hashes nor a comment */

extern void row_free(row_t *row)
{
	xfree(row->account);
	xfree(row->partition);
	xfree(row->qos);
	xfree(row->name);
	xfree(row->work_dir);
	xfree(row->submit_line);
	xfree(row->features);
	xfree(row->licenses);
	xfree(row->wckey);
	xfree(row->std_in);
	xfree(row->std_out);
	xfree(row->std_err);
	xfree(row->tres_req);
	xfree(row->script_hash);
	xfree(row->env_hash);
	xfree(row->nodes);
	xfree(row->tres_alloc);
	xfree(row->comment);
	xfree(row->hash);
	xfree(row->text);
}

static void _pack_asks(const row_t *row, fed_bytes_t *bytes)
{
	fed_put_u32(bytes, row->gid);
	fed_put_u32(bytes, row->qos_id);
	fed_put_str(bytes, row->account);
	fed_put_str(bytes, row->partition);
	fed_put_str(bytes, row->qos);
	fed_put_str(bytes, row->name);
	fed_put_str(bytes, row->work_dir);
	fed_put_str(bytes, row->submit_line);
	fed_put_str(bytes, row->features);
	fed_put_str(bytes, row->licenses);
	fed_put_str(bytes, row->wckey);
	fed_put_str(bytes, row->std_in);
	fed_put_str(bytes, row->std_out);
	fed_put_str(bytes, row->std_err);
	fed_put_i64(bytes, row->eligible);
	fed_put_u32(bytes, row->time_limit);
	fed_put_u32(bytes, row->priority);
	fed_put_u32(bytes, row->req_cpus);
	fed_put_u64(bytes, row->req_mem);
	fed_put_str(bytes, row->tres_req);
	fed_put_u16(bytes, row->restarts);
	fed_put_u8(bytes, row->batch);
	fed_put_str(bytes, row->script_hash);
	fed_put_str(bytes, row->env_hash);
}

static void _unpack_asks(row_t *row, fed_reader_t *reader, uint8_t version)
{
	row->gid = fed_get_u32(reader);
	row->qos_id = fed_get_u32(reader);
	row->account = record_get_str(reader);
	row->partition = record_get_str(reader);
	row->qos = record_get_str(reader);
	row->name = record_get_str(reader);
	row->work_dir = record_get_str(reader);
	row->submit_line = record_get_str(reader);
	row->features = record_get_str(reader);
	row->licenses = record_get_str(reader);
	row->wckey = record_get_str(reader);
	row->std_in = record_get_str(reader);
	row->std_out = record_get_str(reader);
	row->std_err = record_get_str(reader);
	row->eligible = fed_get_i64(reader);
	row->time_limit = fed_get_u32(reader);
	row->priority = fed_get_u32(reader);
	row->req_cpus = fed_get_u32(reader);
	row->req_mem = fed_get_u64(reader);
	row->tres_req = record_get_str(reader);
	row->restarts = fed_get_u16(reader);
	row->batch = fed_get_u8(reader);
	if (version <= ROW_OLDEST)
		return;
	row->script_hash = record_get_str(reader);
	row->env_hash = record_get_str(reader);
}

static void _pack_place(const row_t *row, fed_bytes_t *bytes)
{
	fed_put_i64(bytes, row->start);
	fed_put_str(bytes, row->nodes);
	fed_put_u32(bytes, row->node_cnt);
	fed_put_str(bytes, row->tres_alloc);
}

static void _unpack_place(row_t *row, fed_reader_t *reader)
{
	row->start = fed_get_i64(reader);
	row->nodes = record_get_str(reader);
	row->node_cnt = fed_get_u32(reader);
	row->tres_alloc = record_get_str(reader);
}

static void _pack_end(const row_t *row, fed_bytes_t *bytes)
{
	fed_put_u8(bytes, row->batch);
	fed_put_u32(bytes, row->state);
	fed_put_u32(bytes, row->status);
	fed_put_u32(bytes, row->by);
	fed_put_i64(bytes, row->user_us);
	fed_put_i64(bytes, row->system_us);
	fed_put_i64(bytes, row->max_rss_kb);
	fed_put_str(bytes, row->comment);
}

static void _unpack_end(row_t *row, fed_reader_t *reader, uint8_t version)
{
	row->batch = fed_get_u8(reader);
	row->state = fed_get_u32(reader);
	row->status = fed_get_u32(reader);
	row->by = fed_get_u32(reader);
	row->user_us = fed_get_i64(reader);
	row->system_us = fed_get_i64(reader);
	row->max_rss_kb = fed_get_i64(reader);
	if (version > ROW_OLDEST)
		row->comment = record_get_str(reader);
}

extern void row_pack(const row_t *row, fed_bytes_t *bytes)
{
	fed_put_u8(bytes, ROW_VERSION);
	fed_put_u8(bytes, row->kind);
	fed_put_u32(bytes, row->id);
	fed_put_i64(bytes, row->submit);
	fed_put_u32(bytes, row->assoc_id);
	fed_put_u32(bytes, row->uid);
	fed_put_i64(bytes, row->time);
	switch (row->kind) {
	case ROW_WAITS:
		_pack_asks(row, bytes);
		break;
	case ROW_STARTS:
		_pack_asks(row, bytes);
		_pack_place(row, bytes);
		break;
	case ROW_ENDS:
		_pack_place(row, bytes);
		_pack_end(row, bytes);
		break;
	case ROW_SCRIPT:
	case ROW_ENV:
		fed_put_str(bytes, row->hash);
		fed_put_str(bytes, row->text);
		break;
	case ROW_SUSPENDS:
	case ROW_RESUMES:
		break;
	}
}

extern int row_unpack(row_t *row, const void *body, size_t len,
		      fed_err_t *err)
{
	fed_reader_t reader;
	uint8_t version;

	*row = (row_t) { 0 };
	fed_reader_init(&reader, body, len);
	version = fed_get_u8(&reader);
	if ((version < ROW_OLDEST) || (version > ROW_VERSION))
		reader.bad = true;
	row->kind = fed_get_u8(&reader);
	row->id = fed_get_u32(&reader);
	row->submit = fed_get_i64(&reader);
	row->assoc_id = fed_get_u32(&reader);
	row->uid = fed_get_u32(&reader);
	row->time = fed_get_i64(&reader);
	switch (row->kind) {
	case ROW_WAITS:
		_unpack_asks(row, &reader, version);
		break;
	case ROW_STARTS:
		_unpack_asks(row, &reader, version);
		_unpack_place(row, &reader);
		break;
	case ROW_ENDS:
		_unpack_place(row, &reader);
		_unpack_end(row, &reader, version);
		break;
	case ROW_SCRIPT:
	case ROW_ENV:
		row->hash = record_get_str(&reader);
		row->text = record_get_str(&reader);
		break;
	case ROW_SUSPENDS:
	case ROW_RESUMES:
		break;
	default:
		reader.bad = true;
		break;
	}
	if (fed_reader_done(&reader))
		return 0;
	row_free(row);
	return fed_err_set(err, EPROTO,
			   "a row for slurmdbd makes no sense");
}

extern const char *row_kind_name(row_kind_t kind)
{
	switch (kind) {
	case ROW_WAITS:
		return "waits";
	case ROW_STARTS:
		return "starts";
	case ROW_SUSPENDS:
		return "suspends";
	case ROW_RESUMES:
		return "resumes";
	case ROW_ENDS:
		return "ends";
	case ROW_SCRIPT:
		return "has a script";
	case ROW_ENV:
		return "has an environment";
	}
	return "unknown";
}

/*
 * sibling_pack_test.c - src/sibling/pack_info, sib and the items of persist:
 * what we pack is what Slurm unpacks, to the last byte, in every layout that
 * this build speaks.
 */
#include "testsuite/unit/slurm_unit.h"

#include "src/sibling/pack_info.h"
#include "src/sibling/persist.h"
#include "src/sibling/sib.h"

#define OUR_ID 3
#define JOB ((1 << 26) | 4711)

/* RET the packed bytes, to be read from the first on */
static buf_t *_to_read(buf_t *buf)
{
	uint32_t len = get_buf_offset(buf);
	char *copy = xmalloc(len);

	memcpy(copy, get_buf_data(buf), len);
	free_buf(buf);
	return create_buf(copy, len);
}

/* RET what Slurm unpacks of an item that must be a REQUEST_SIB_MSG */
static sib_msg_t *_unpack(buf_t *packed, uint16_t version)
{
	buf_t *buf = _to_read(packed);
	persist_in_t in = { 0 };
	fed_err_t err;

	if (persist_unpack_item(buf, version, &in, &err))
		fail_msg("version %u: %s", version, err.text);
	assert_int_equal(in.type, REQUEST_SIB_MSG);
	assert_int_equal(remaining_buf(buf), 0);
	free_buf(buf);
	return in.data;
}

static void _sync(void **state)
{
	for_each_version(version) {
		buf_t *jobs = pack_info_jobs(0, 1700000000, version);
		job_info_msg_t *info;
		sib_msg_t *msg;

		msg = _unpack(sib_pack_sync(OUR_ID, jobs, 1700000001,
					    version), version);
		free_buf(jobs);
		assert_int_equal(msg->sib_msg_type, SIB_SYNC);
		assert_int_equal(msg->cluster_id, OUR_ID);
		assert_int_equal(msg->start_time, 1700000001);
		/* without data fed_mgr.c follows a null pointer */
		assert_int_equal(msg->data_type, RESPONSE_JOB_INFO);
		info = msg->data;
		assert_non_null(info);
		assert_int_equal(info->record_count, 0);
		assert_int_equal(info->last_update, 1700000000);
		compat_free_data(REQUEST_SIB_MSG, msg);
	}
}

static void _responses(void **state)
{
	for_each_version(version) {
		sib_msg_t *msg;

		msg = _unpack(sib_pack_submit_resp(OUR_ID, JOB,
						   ESLURM_NOT_SUPPORTED,
						   version), version);
		assert_int_equal(msg->sib_msg_type, SIB_SUBMIT_RESP);
		assert_int_equal(msg->cluster_id, OUR_ID);
		assert_int_equal(msg->job_id, JOB);
		assert_int_equal(msg->return_code, ESLURM_NOT_SUPPORTED);
		compat_free_data(REQUEST_SIB_MSG, msg);
		msg = _unpack(sib_pack_update_resp(OUR_ID, JOB, 0, version),
			      version);
		assert_int_equal(msg->sib_msg_type, SIB_UPDATE_RESP);
		assert_int_equal(msg->job_id, JOB);
		assert_int_equal(msg->return_code, 0);
		compat_free_data(REQUEST_SIB_MSG, msg);
	}
}

/* What Slurm has no packer for at a version must not go out as nothing. */
static void _unknown(void **state)
{
	return_code_msg_t rc = { .return_code = 1 };
	persist_in_t in = { 0 };
	fed_err_t err;
	buf_t *buf;

	buf = persist_pack_item(RESPONSE_SLURM_RC, &rc,
				SLURM_PROTOCOL_VERSION);
	assert_non_null(buf);
	buf = _to_read(buf);
	get_buf_data(buf)[0] = (char) 0xff;
	assert_int_equal(persist_unpack_item(buf, SLURM_PROTOCOL_VERSION,
					     &in, &err), -1);
	free_buf(buf);
	buf = create_buf(xmalloc(1), 1);
	assert_int_equal(persist_unpack_item(buf, SLURM_PROTOCOL_VERSION,
					     &in, &err), -1);
	assert_string_equal(err.text, "a message without a type");
	free_buf(buf);
}

/* Cut anywhere: refused, and nothing is read that is not there. */
static void _cut(void **state)
{
	for_each_version(version) {
		buf_t *jobs = pack_info_jobs(0, 1, version);
		buf_t *whole = _to_read(sib_pack_sync(OUR_ID, jobs, 2,
						      version));

		free_buf(jobs);
		for (uint32_t len = 1; len < size_buf(whole); len++) {
			buf_t *buf = create_buf(xmalloc(len), len);
			persist_in_t in = { 0 };

			memcpy(get_buf_data(buf), get_buf_data(whole), len);
			if (!persist_unpack_item(buf, version, &in, NULL))
				fail_msg("version %zu: %u of %u bytes are taken",
					 version, len, size_buf(whole));
			free_buf(buf);
		}
		free_buf(whole);
	}
}

/* It is refused before there is room made for so many. */
static void _claims(void **state)
{
	for_each_version(version) {
		buf_t *jobs = pack_info_jobs(0x7fffffff, 1, version);
		buf_t *buf = _to_read(sib_pack_sync(OUR_ID, jobs, 2,
						    version));
		persist_in_t in = { 0 };
		fed_err_t err;

		free_buf(jobs);
		assert_int_equal(persist_unpack_item(buf, version, &in, &err),
				 -1);
		assert_string_equal(err.text,
				    "a list of more jobs than it has room for");
		free_buf(buf);
	}
}

static void _names(void **state)
{
	assert_string_equal(sib_kind_name(SIB_SYNC), "sync");
	for (uint16_t kind = SIB_CANCEL; kind <= SIB_UPDATE_RESP; kind++) {
		bool never = (kind == 3);

		assert_int_equal(!strcmp(sib_kind_name(kind), "unknown"),
				 never);
	}
	assert_string_equal(sib_kind_name(0), "unknown");
	assert_string_equal(sib_kind_name(65535), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_sync),
		cmocka_unit_test(_responses),
		cmocka_unit_test(_unknown),
		cmocka_unit_test(_cut),
		cmocka_unit_test(_claims),
		cmocka_unit_test(_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

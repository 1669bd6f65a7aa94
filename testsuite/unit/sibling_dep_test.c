/*
 * sibling_dep_test.c - src/sibling/dep: which dependencies are ours to judge
 * and what a native is answered, as Slurm's own unpack sees it.
 */
#include "testsuite/unit/slurm_unit.h"

#include "src/core/job_id.h"
#include "src/sibling/dep.h"
#include "src/sibling/persist.h"

#define OUR_ID 2
#define OURS(n) ((OUR_ID << 26) | (n))	/* 134217728 + n */
#define OURS_5 "134217733"
#define OURS_6 "134217734"
#define THEIRS "67108867"		/* of fed id 1 */

/* An expected item; job_id 0 ends a list */
typedef struct {
	uint16_t type;
	uint32_t job_id, task, state;
} want_t;

/* RET what a native unpacks, or NULL if it is told nothing */
static dep_update_origin_msg_t *_answer(const char *dependency,
					uint16_t version)
{
	dep_t dep = {
		.job_id = 77,
		.user_id = 1000,
		.job_name = (char *) "name",
		.dependency = (char *) dependency,
	};
	persist_in_t in = { 0 };
	buf_t *buf = dep_answer(&dep, OUR_ID, version), *read;
	uint32_t len;

	if (!buf)
		return NULL;
	len = get_buf_offset(buf);
	read = create_buf(xmalloc(len), len);
	memcpy(get_buf_data(read), get_buf_data(buf), len);
	free_buf(buf);
	assert_int_equal(persist_unpack_item(read, version, &in, NULL), 0);
	assert_int_equal(in.type, REQUEST_UPDATE_ORIGIN_DEP);
	/* all of it, or the next item of a MULT message is read wrong */
	assert_int_equal(get_buf_offset(read), len);
	free_buf(read);
	return in.data;
}

static void _expect(const char *dependency, const want_t *want)
{
	for_each_version(version) {
		dep_update_origin_msg_t *msg = _answer(dependency, version);
		depend_spec_t *spec;
		int count = 0;

		while (want[count].type)
			count++;
		if (!msg && !count)
			continue;
		if (!msg || !count)
			fail_msg("%s: %s", dependency,
				 msg ? "answered" : "not answered");
		assert_int_equal(msg->job_id, 77);
		if (list_count(msg->depend_list) != count)
			fail_msg("%s: %d items", dependency,
				 list_count(msg->depend_list));
		/* unpack_dep_list() turns their order */
		while (count-- && (spec = list_pop(msg->depend_list))) {
			if ((spec->depend_type != want[count].type) ||
			    (spec->job_id != want[count].job_id) ||
			    (spec->array_task_id != want[count].task) ||
			    (spec->depend_state != want[count].state) ||
			    spec->depend_flags)
				fail_msg("%s: item %d is type %u, job %u, task %u, state %u",
					 dependency, count, spec->depend_type,
					 spec->job_id, spec->array_task_id,
					 spec->depend_state);
			assert_int_equal(spec->singleton_bits,
					 (spec->depend_type ==
					  SLURM_DEPEND_SINGLETON) ?
					 1 << (OUR_ID - 1) : 0);
			xfree(spec);
		}
		compat_free_data(REQUEST_UPDATE_ORIGIN_DEP, msg);
	}
}

#define END { 0 }
#define ONE(type, state) \
	((want_t[]) { { type, OURS(5), NO_VAL, state }, END })

static void _each_kind(void **state)
{
	_expect("after:" OURS_5, ONE(SLURM_DEPEND_AFTER, DEPEND_FULFILLED));
	_expect("afterany:" OURS_5,
		ONE(SLURM_DEPEND_AFTER_ANY, DEPEND_FULFILLED));
	_expect("afterok:" OURS_5, ONE(SLURM_DEPEND_AFTER_OK, DEPEND_FAILED));
	_expect("afternotok:" OURS_5,
		ONE(SLURM_DEPEND_AFTER_NOT_OK, DEPEND_FAILED));
	_expect("aftercorr:" OURS_5,
		ONE(SLURM_DEPEND_AFTER_CORRESPOND, DEPEND_FAILED));
	_expect("afterburstbuffer:" OURS_5,
		ONE(SLURM_DEPEND_BURST_BUFFER, DEPEND_FULFILLED));
	_expect("singleton", (want_t[]) {
		{ SLURM_DEPEND_SINGLETON, 0, 0, DEPEND_FULFILLED }, END });
}

static void _as_slurm_writes_them(void **state)
{
	_expect("afterok:" OURS_5 "(unfulfilled)",
		ONE(SLURM_DEPEND_AFTER_OK, DEPEND_FAILED));
	_expect("after:" OURS_5 "+10(unfulfilled)",
		ONE(SLURM_DEPEND_AFTER, DEPEND_FULFILLED));
	_expect("afterany:" OURS_5 "_4(unfulfilled)", (want_t[]) {
		{ SLURM_DEPEND_AFTER_ANY, OURS(5), 4, DEPEND_FULFILLED },
		END });
	_expect("afterany:" OURS_5 "_*(unfulfilled)", (want_t[]) {
		{ SLURM_DEPEND_AFTER_ANY, OURS(5), INFINITE,
		  DEPEND_FULFILLED }, END });
	_expect("after:" OURS_5 "_4+10(failed)", (want_t[]) {
		{ SLURM_DEPEND_AFTER, OURS(5), 4, DEPEND_FULFILLED }, END });
	/* all must hold, and one must hold */
	_expect("afterok:" OURS_5 "(unfulfilled),singleton(unfulfilled)",
		(want_t[]) {
		{ SLURM_DEPEND_AFTER_OK, OURS(5), NO_VAL, DEPEND_FAILED },
		{ SLURM_DEPEND_SINGLETON, 0, 0, DEPEND_FULFILLED }, END });
	_expect("afterany:" OURS_5 "?afternotok:" OURS_6, (want_t[]) {
		{ SLURM_DEPEND_AFTER_ANY, OURS(5), NO_VAL, DEPEND_FULFILLED },
		{ SLURM_DEPEND_AFTER_NOT_OK, OURS(6), NO_VAL, DEPEND_FAILED },
		END });
	/* as users write them */
	_expect("afterany:" OURS_5 ":" OURS_6 "_1:" THEIRS, (want_t[]) {
		{ SLURM_DEPEND_AFTER_ANY, OURS(5), NO_VAL, DEPEND_FULFILLED },
		{ SLURM_DEPEND_AFTER_ANY, OURS(6), 1, DEPEND_FULFILLED },
		END });
}

/* Nothing of it is ours: an answer without items would crash a native. */
static void _not_ours(void **state)
{
	static const char *const strings[] = {
		"", "afterok:" THEIRS, "afterany:5", "after:" THEIRS "+1",
		"expand:" OURS_5, "nonsense", "nonsense:" OURS_5, "afterok",
		"afterok:", "afterok:x", "afterok::" OURS_5, ",,,", "?", "(",
		"singletons", "singleton:", "afterany:99999999999999999999",
		"afterany:4294967296", "afterany:-134217733",
	};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		_expect(strings[i], (want_t[]) { END });
	_expect("afterok:" THEIRS ",afterany:" OURS_5,
		ONE(SLURM_DEPEND_AFTER_ANY, DEPEND_FULFILLED));
}

static void _long_ones(void **state)
{
	char *text = xstrdup("afterany");
	dep_update_origin_msg_t *msg;

	for (int i = 0; i < 5000; i++)
		xstrcat(text, ":" OURS_5);
	msg = _answer(text, SLURM_PROTOCOL_VERSION);
	assert_int_equal(list_count(msg->depend_list), 5000);
	compat_free_data(REQUEST_UPDATE_ORIGIN_DEP, msg);
	xfree(text);
}

static void _record(void **state)
{
	dep_msg_t msg = { .job_id = 9, .user_id = 10, .job_name =
			  (char *) "n", .dependency = (char *) "singleton" };
	dep_t *dep = dep_from_msg(&msg), *again;
	fed_bytes_t bytes = { 0 };
	fed_err_t err;

	dep_pack(dep, &bytes);
	again = dep_unpack(bytes.data, bytes.len, &err);
	assert_int_equal(again->job_id, 9);
	assert_int_equal(again->user_id, 10);
	assert_string_equal(again->job_name, "n");
	assert_string_equal(again->dependency, "singleton");
	dep_free(again);
	for (size_t len = 0; len < bytes.len; len++)
		assert_null(dep_unpack(bytes.data, len, &err));
	fed_put_u8(&bytes, 0);
	assert_null(dep_unpack(bytes.data, bytes.len, &err));
	bytes.data[1]++;
	assert_null(dep_unpack(bytes.data, bytes.len - 1, &err));
	fed_bytes_free(&bytes);
	dep_free(dep);

	/* a native may send neither */
	msg.job_name = msg.dependency = NULL;
	dep = dep_from_msg(&msg);
	assert_string_equal(dep->job_name, "");
	assert_string_equal(dep->dependency, "");
	dep_free(dep);
	dep_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_each_kind),
		cmocka_unit_test(_as_slurm_writes_them),
		cmocka_unit_test(_not_ours),
		cmocka_unit_test(_long_ones),
		cmocka_unit_test(_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * bytes_test.c - src/core/bytes, src/core/crc32c and src/core/job_id.
 */
#include "testsuite/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/core/bytes.h"
#include "src/core/crc32c.h"
#include "src/core/job_id.h"

static void _crc_vectors(void **state)
{
	uint8_t data[32];

	/* RFC 3720, B.4, and the usual check value */
	assert_int_equal(fed_crc32c(0, "123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(fed_crc32c(0, data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(fed_crc32c(0, data, sizeof(data)), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		data[i] = i;
	assert_int_equal(fed_crc32c(0, data, sizeof(data)), 0x46dd794e);
	assert_int_equal(fed_crc32c(0, NULL, 0), 0);
}

/* any split gives the same, aligned or not */
static void _crc_pieces(void **state)
{
	uint8_t data[67];
	uint32_t whole;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 3;
	whole = fed_crc32c(0, data, sizeof(data));
	for (size_t i = 0; i <= sizeof(data); i++)
		assert_int_equal(fed_crc32c(fed_crc32c(0, data, i), data + i,
					    sizeof(data) - i), whole);
}

static void _put_all(fed_bytes_t *bytes)
{
	fed_put_u8(bytes, 0xfe);
	fed_put_u16(bytes, 0x0102);
	fed_put_u32(bytes, 0x03040506);
	fed_put_u64(bytes, 0x0708090a0b0c0d0e);
	fed_put_i64(bytes, -2);
	fed_put_double(bytes, -0.5);
	fed_put_str(bytes, "sibling");
	fed_put_str(bytes, "");
	fed_put_str(bytes, NULL);
	fed_put_block(bytes, "a\0b", 3);
	fed_put_block(bytes, NULL, 0);
}

static void _round_trip(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_reader_t reader;
	const char *block;
	char *text;
	size_t len;

	_put_all(&bytes);
	assert_memory_equal(bytes.data, "\xfe\1\2\3\4\5\6\7\10\11", 10);
	fed_reader_init(&reader, bytes.data, bytes.len);
	assert_int_equal(fed_get_u8(&reader), 0xfe);
	assert_int_equal(fed_get_u16(&reader), 0x0102);
	assert_int_equal(fed_get_u32(&reader), 0x03040506);
	assert_true(fed_get_u64(&reader) == 0x0708090a0b0c0d0e);
	assert_true(fed_get_i64(&reader) == -2);
	assert_true(fed_get_double(&reader) == -0.5);
	text = fed_get_str(&reader);
	assert_string_equal(text, "sibling");
	free(text);
	text = fed_get_str(&reader);
	assert_string_equal(text, "");
	free(text);
	assert_null(fed_get_str(&reader));
	block = fed_get_block(&reader, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(block, "a\0b", 3);
	assert_false(fed_reader_done(&reader));
	assert_non_null(fed_get_block(&reader, &len));
	assert_int_equal(len, 0);
	assert_true(fed_reader_done(&reader));
	assert_int_equal(fed_get_u8(&reader), 0);
	assert_false(fed_reader_done(&reader));
	fed_bytes_free(&bytes);
}

/* cut anywhere: bad, zeros from there on, nothing read beyond (ASan) */
static void _cut_short(void **state)
{
	fed_bytes_t bytes = { 0 };

	_put_all(&bytes);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);
		fed_reader_t reader;
		size_t len;

		memcpy(copy, bytes.data, cut);
		fed_reader_init(&reader, cut ? copy : NULL, cut);
		fed_get_u8(&reader);
		fed_get_u16(&reader);
		fed_get_u32(&reader);
		fed_get_u64(&reader);
		fed_get_i64(&reader);
		fed_get_double(&reader);
		for (int i = 0; i < 3; i++)
			free(fed_get_str(&reader));
		fed_get_block(&reader, &len);
		fed_get_block(&reader, &len);
		assert_false(fed_reader_done(&reader));
		assert_true(reader.bad);
		assert_int_equal(fed_reader_left(&reader), 0);
		assert_null(fed_get_str(&reader));
		assert_null(fed_get_block(&reader, &len));
		assert_int_equal(len, 0);
		free(copy);
	}
	fed_bytes_free(&bytes);
}

static void _no_number(void **state)
{
	const double bad[] = { NAN, INFINITY, -INFINITY };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fed_bytes_t bytes = { 0 };
		fed_reader_t reader;

		fed_put_double(&bytes, bad[i]);
		fed_reader_init(&reader, bytes.data, bytes.len);
		assert_true(fed_get_double(&reader) == 0);
		assert_true(reader.bad);
		fed_bytes_free(&bytes);
	}
}

static void _bad_string(void **state)
{
	fed_bytes_t bytes = { 0 };
	fed_reader_t reader;

	fed_put_block(&bytes, "a\0b", 3);
	fed_reader_init(&reader, bytes.data, bytes.len);
	assert_null(fed_get_str(&reader));
	assert_true(reader.bad);
	fed_bytes_free(&bytes);
}

static void _job_ids(void **state)
{
	uint32_t id = fed_job_id_make(3, 17);

	assert_int_equal(id, 201326609);
	assert_int_equal(fed_job_id_origin(id), 3);
	assert_int_equal(fed_job_id_local(id), 17);
	assert_true(fed_job_id_valid(id));
	assert_false(fed_job_id_valid(17));
	assert_false(fed_job_id_valid(fed_job_id_make(3, 0)));
	assert_false(fed_job_id_valid(0xfffffffe));
	assert_false(fed_job_id_valid(0xffffffff));

	assert_int_equal(fed_job_id_next(0, 1), 1);
	assert_int_equal(fed_job_id_next(1, 1), 2);
	assert_int_equal(fed_job_id_next(FED_LOCAL_ID_MAX - 1, 1),
			 FED_LOCAL_ID_MAX);
	assert_int_equal(fed_job_id_next(FED_LOCAL_ID_MAX, 1), 1);
	assert_int_equal(fed_job_id_next(0xffffffff, 1), 1);
	assert_int_equal(fed_job_id_next(5, 1000), 1000);

	assert_true(fed_sibling_bit(1) == 1);
	assert_true(fed_sibling_bit(33) == (uint64_t) 1 << 32);
	assert_true(fed_sibling_bit(63) == (uint64_t) 1 << 62);
	assert_true(fed_sibling_bit(0) == 0);
	assert_true(fed_sibling_bit(64) == 0);
	assert_true(fed_sibling_only(4, 3));
	assert_false(fed_sibling_only(5, 3));
	assert_false(fed_sibling_only(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(_crc_vectors),
		cmocka_unit_test(_crc_pieces),
		cmocka_unit_test(_round_trip),
		cmocka_unit_test(_cut_short),
		cmocka_unit_test(_no_number),
		cmocka_unit_test(_bad_string),
		cmocka_unit_test(_job_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * ledger_format.c - how a ledger looks on disk (see ledger_format.h).
 *
 * Encoding and decoding only: no file is touched here. Whoever decodes has
 * checked nothing before: any 64 and any 16 bytes are fine to ask about.
 */
#include "src/core/ledger_format.h"

#include <errno.h>
#include <string.h>

#include "src/core/crc32c.h"

static const char magic[8] = "FEDLEDGR";

static void _set32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = value >> (24 - 8 * i);
}

static uint32_t _get32(const uint8_t *at)
{
	return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 |
	       (uint32_t) at[2] << 8 | (uint32_t) at[3];
}

extern void ledger_header_pack(const ledger_header_t *header,
			       uint8_t data[LEDGER_HEADER_SIZE])
{
	fed_bytes_t bytes = { 0 };

	fed_put_raw(&bytes, magic, sizeof(magic));
	fed_put_u16(&bytes, LEDGER_VERSION);
	fed_put_u16(&bytes, 0);
	fed_put_u32(&bytes, header->salt);
	fed_put_u64(&bytes, header->generation);
	fed_put_i64(&bytes, header->created);
	fed_put_raw(&bytes, header->app, sizeof(header->app));
	memset(data, 0, LEDGER_HEADER_SIZE);
	memcpy(data, bytes.data, bytes.len);
	_set32(data + 60, fed_crc32c(0, data, 60));
	fed_bytes_free(&bytes);
}

extern int ledger_header_unpack(const uint8_t data[LEDGER_HEADER_SIZE],
				ledger_header_t *ret_header, fed_err_t *err)
{
	fed_reader_t reader;
	uint16_t version;

	fed_reader_init(&reader, data, LEDGER_HEADER_SIZE);
	if (memcmp(fed_get_raw(&reader, sizeof(magic)), magic, sizeof(magic)))
		return fed_err_set(err, EINVAL, "this is no ledger");
	if (fed_crc32c(0, data, 60) != _get32(data + 60))
		return fed_err_set(err, EILSEQ, "its header is damaged");
	version = fed_get_u16(&reader);
	if (version > LEDGER_VERSION)
		return fed_err_set(err, EPROTONOSUPPORT,
				   "it was written by a newer release (format %u, this one knows %u)",
				   version, LEDGER_VERSION);
	(void) fed_get_u16(&reader);
	ret_header->salt = fed_get_u32(&reader);
	ret_header->generation = fed_get_u64(&reader);
	ret_header->created = fed_get_i64(&reader);
	memcpy(ret_header->app, fed_get_raw(&reader, sizeof(ret_header->app)),
	       sizeof(ret_header->app));
	ret_header->app[sizeof(ret_header->app) - 1] = 0;
	return 0;
}

extern void ledger_record_put(fed_bytes_t *bytes, uint16_t type,
			      const void *body, size_t len)
{
	fed_put_u32(bytes, len);
	fed_put_u16(bytes, type);
	fed_put_u16(bytes, 0);
	fed_put_u64(bytes, 0);
	fed_put_raw(bytes, body, len);
}

static uint32_t _head_crc(const uint8_t *head, uint32_t salt, uint64_t offset)
{
	uint8_t place[12];

	_set32(place, salt);
	_set32(place + 4, offset >> 32);
	_set32(place + 8, offset);
	return fed_crc32c(fed_crc32c(0, place, sizeof(place)), head, 8);
}

extern void ledger_record_seal(fed_bytes_t *bytes, uint32_t salt,
			       uint64_t offset, bool first, bool last)
{
	size_t at = 0;

	while (at < bytes->len) {
		uint8_t *head = bytes->data + at;
		uint32_t len = _get32(head), crc;
		size_t next = at + LEDGER_HEAD_SIZE + len;

		head[7] = 0;
		if (first && !at)
			head[7] |= LEDGER_FIRST;
		if (last && (next == bytes->len))
			head[7] |= LEDGER_LAST;
		crc = _head_crc(head, salt, offset + at);
		_set32(head + 8, crc);
		crc = fed_crc32c(crc, head + LEDGER_HEAD_SIZE, len);
		_set32(head + 12, crc);
		at = next;
	}
}

extern bool ledger_head_unpack(const uint8_t data[LEDGER_HEAD_SIZE],
			       uint32_t salt, uint64_t offset,
			       ledger_head_t *ret_head)
{
	ret_head->len = _get32(data);
	ret_head->type = data[4] << 8 | data[5];
	ret_head->flags = data[6] << 8 | data[7];
	ret_head->head_crc = _get32(data + 8);
	ret_head->body_crc = _get32(data + 12);
	return (ret_head->len <= FED_LEDGER_BODY_MAX) &&
	       (ret_head->flags <= (LEDGER_FIRST | LEDGER_LAST)) &&
	       (ret_head->head_crc == _head_crc(data, salt, offset));
}

extern bool ledger_body_valid(const ledger_head_t *head, const void *body)
{
	return fed_crc32c(head->head_crc, body, head->len) == head->body_crc;
}

/*
 * base64.c - bytes as text (see base64.h).
 */
#include "src/flurm/base64.h"

#include <stdint.h>
#include <stdlib.h>

#include "src/core/mem.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

extern char *flurm_base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = fed_realloc(NULL, (len + 2) / 3 * 4 + 1);
	char *out = text;

	for (; len >= 3; in += 3, len -= 3) {
		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = digits[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = digits[in[2] & 63];
	}
	if (len) {
		uint8_t second = (len == 2) ? in[1] : 0;

		*out++ = digits[in[0] >> 2];
		*out++ = digits[(in[0] & 3) << 4 | second >> 4];
		*out++ = (len == 2) ? digits[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	*out = '\0';
	return text;
}

static int _value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return (c == '/') ? 63 : -1;
}

/* One group of four; pads is how many '=' may and must end it. */
static int _group(const char *text, int pads, uint8_t *out)
{
	uint32_t bits = 0;

	for (int i = 0; i < 4; i++) {
		int value = (i < 4 - pads) ? _value(text[i]) : 0;

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t) value;
	}
	if ((pads == 1 && (bits & 0xff)) || (pads == 2 && (bits & 0xffff)))
		return -1;
	out[0] = bits >> 16;
	if (pads < 2)
		out[1] = bits >> 8 & 0xff;
	if (pads < 1)
		out[2] = bits & 0xff;
	return 0;
}

extern void *flurm_base64_decode(const char *text, size_t len, size_t *ret_len)
{
	int pads = 0;
	size_t size;
	uint8_t *data;

	if (len % 4)
		return NULL;
	if (len && text[len - 1] == '=')
		pads = (text[len - 2] == '=') ? 2 : 1;
	size = len / 4 * 3 - pads;
	data = fed_realloc(NULL, size + 1);
	for (size_t i = 0; i < len / 4; i++) {
		if (_group(text + 4 * i, (i + 1 == len / 4) ? pads : 0,
			   data + 3 * i) < 0) {
			free(data);
			return NULL;
		}
	}
	data[size] = '\0';
	*ret_len = size;
	return data;
}

/*
 * wire_fuzz.c - FLURM's binary messages. What is taken must come back the same
 * from what we write. The first byte chooses: the whole envelope as it is, or
 * with its lengths made to fit, or the Erlang term alone.
 */
#include "testsuite/fuzz/fuzz.h"

#include <string.h>

#include "src/flurm/etf.h"
#include "src/flurm/wire.h"

static void _try_message(const uint8_t *data, size_t len)
{
	flurm_wire_msg_t first, second;
	fed_err_t err;
	void *once, *twice;
	size_t once_len, twice_len;

	err.text[0] = '\0';
	if (flurm_wire_decode(data, len, &first, &err) < 0) {
		MUST(err.text[0]);
		return;
	}
	once = flurm_wire_encode(&first, &once_len);
	MUST(once);
	MUST(flurm_wire_decode(once, once_len, &second, &err) == 0);
	twice = flurm_wire_encode(&second, &twice_len);
	MUST(once_len == twice_len);
	MUST(!memcmp(once, twice, once_len));
	free(once);
	free(twice);
	flurm_wire_msg_free(&first);
	flurm_wire_msg_free(&second);
}

static void _put_u32(uint8_t *at, uint32_t value)
{
	at[0] = value >> 24;
	at[1] = value >> 16 & 0xff;
	at[2] = value >> 8 & 0xff;
	at[3] = value & 0xff;
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy;

	if (!len)
		return 0;
	copy = malloc(len);
	memcpy(copy, data + 1, len - 1);
	len--;
	switch (data[0] % 3) {
	case 0:
		_try_message(copy, len);
		break;
	case 1:
		if (len >= 20) {
			_put_u32(copy, len - 4);
			_put_u32(copy + 10, len - 20);
		}
		_try_message(copy, len);
		break;
	default:
		json_decref(etf_decode(copy, len, NULL));
	}
	free(copy);
	return 0;
}

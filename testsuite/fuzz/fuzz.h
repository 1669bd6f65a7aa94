/*
 * fuzz.h - what every fuzz target includes.
 */
#ifndef FED_FUZZ_H
#define FED_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold for every input. */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

#endif

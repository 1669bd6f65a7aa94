/*
 * record.h - the types of the records in a controller's ledger.
 *
 * A number is never given a second meaning. Bodies are described where they
 * are packed.
 */
#ifndef FED_SIBLING_RECORD_H
#define FED_SIBLING_RECORD_H

typedef enum {
	RECORD_FEDERATION = 1,	/* the last known one: federation_pack() */
	RECORD_DEP = 2,		/* peer, dep_pack(): not yet answered */
	RECORD_DEP_DONE = 3,	/* peer, u32 job id: answered or withdrawn */
} record_type_t;

#endif

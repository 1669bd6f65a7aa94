/*
 * fake_peer.h - a slurmctld or slurmdbd that does what the test says.
 *
 * It listens on loopback, takes persistent connections, and gives each message
 * that comes to the test, which answers it with persist_send(). One connection
 * after the other or several at once; each has a thread.
 */
#ifndef FED_UNIT_FAKE_PEER_H
#define FED_UNIT_FAKE_PEER_H

#include "testsuite/unit/slurm_unit.h"

#include "src/sibling/persist.h"

typedef struct fake_peer fake_peer_t;

/*
 * A message came. Its data are freed when this returns.
 * RET false to close the connection
 */
typedef bool (*fake_take_t)(void *arg, persist_t *conn, persist_in_t *in);

/*
 * IN port - 0 for a free one
 * IN dbd - speaks as slurmdbd does
 */
extern fake_peer_t *fake_start(uint16_t port, bool dbd, fake_take_t take,
			       void *arg);

/* Close the port and all connections. RET its port, for one after it */
extern uint16_t fake_stop(fake_peer_t *fake);
extern uint16_t fake_port(const fake_peer_t *fake);

/* From now on: refuse who comes, with this comment; NULL: take them */
extern void fake_refuse(fake_peer_t *fake, const char *comment);

/* From now on: the version in the answer; 0: the lower one of both ends */
extern void fake_set_version(fake_peer_t *fake, uint16_t version);

/* Close the connections that are open now. */
extern void fake_hang_up(fake_peer_t *fake);

/* RET PERSIST_INITs so far, refused ones too; and what the last one said */
extern int fake_inits(fake_peer_t *fake);
extern void fake_last_init(fake_peer_t *fake, char cluster[64],
			   uint16_t *ret_port, int *ret_type);

/* A free port of loopback */
extern uint16_t free_port(void);

/* Wait until it holds, or fail. */
#define wait_for(what) \
	do { \
		int tries_ = 0; \
		while (!(what)) { \
			if (tries_++ > 10000) \
				fail_msg("in vain: %s", #what); \
			wait_ms(1); \
		} \
	} while (0)

extern void wait_ms(int ms);
extern int64_t now_ms(void);

#endif

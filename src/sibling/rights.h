/*
 * rights.h - who may see and do what, by Slurm's rules.
 *
 * The uid is the one that the request's credential proves.
 */
#ifndef FED_SIBLING_RIGHTS_H
#define FED_SIBLING_RIGHTS_H

#include <stdbool.h>

#include "src/sibling/rpc.h"
#include "src/sibling/view.h"

/* RET true for root, SlurmUser and administrators of the cluster */
extern bool rights_admin(const rpc_conf_t *conf, uid_t uid);

/* RET true for those and operators (slurmctld's validate_operator()) */
extern bool rights_operator(const rpc_conf_t *conf, uid_t uid);

/*
 * RET true for operators, the job's owner and coordinators of its account: they
 *	may cancel, hold and requeue it (slurmctld's validate_operator() and
 *	assoc_mgr_is_user_acct_coord())
 */
extern bool rights_job(const rpc_conf_t *conf, uid_t uid,
		       const view_job_t *job);

/* RET true for coordinators of the job's account */
extern bool rights_coordinator(const rpc_conf_t *conf, uid_t uid,
			       const view_job_t *job);

/* RET true if the job is shown to this uid, as PrivateData says */
extern bool rights_see_job(const rpc_conf_t *conf, uid_t uid,
			   const view_job_t *job);

/*
 * IN what - of PRIVATE_DATA_NODES and the like
 * RET true if it is shown to this uid
 */
extern bool rights_see(const rpc_conf_t *conf, uid_t uid, uint16_t what);

#endif
